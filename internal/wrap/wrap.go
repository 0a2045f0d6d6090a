// Package wrap breaks text into lines for terminals and configuration files.
package wrap

import "strings"

// Width is the greatest length of a line, in bytes, if its words allow it.
const Width = 84

// Lines returns text in lines: the first begins with first, the others with indent.
func Lines(first, indent, text string) []string {
	var lines []string
	line := first
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
			line += word
		case len(line)+1+len(word) > Width:
			lines = append(lines, line)
			line = indent + word
		default:
			line += " " + word
		}
	}
	return append(lines, strings.TrimRight(line, " "))
}

package rules

import (
	"bufio"
	"fmt"
	"strings"
)

// complete returns an error if Coraza leaves out a part of a file without an error: it
// drops a last directive that ends with a backslash, as a file does that is cut off, and
// all lines from one of 64 KiB on.
func (f file) complete() error {
	number, open, directives := 0, 0, false
	for line := range strings.Lines(f.text) {
		number++
		if len(line) >= bufio.MaxScanTokenSize {
			return fmt.Errorf("%s: the line is too long: write less than %d bytes", f.at(number), bufio.MaxScanTokenSize)
		}
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		word, _, _ := strings.Cut(strings.ToLower(line), " ")
		directives = directives || word == "include" || strings.HasPrefix(word, "sec") // other files are data of operators
		open = 0
		if strings.HasSuffix(line, `\`) {
			open = number
		}
	}
	if open > 0 && directives {
		return fmt.Errorf("%s: the directive continues after the end", f.at(open))
	}
	return nil
}

// at names a line, such as /etc/waf/shop.conf:7.
func (f file) at(line int) string {
	if f.name == "" {
		return fmt.Sprintf("directives, line %d", line)
	}
	return fmt.Sprintf("%s:%d", f.name, line)
}

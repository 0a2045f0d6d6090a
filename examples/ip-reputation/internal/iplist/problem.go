package iplist

import "fmt"

// Problem is one line that was left out of a list.
type Problem struct {
	File   string
	Line   int    // counted from 1
	Text   string // the line, shortened
	Reason string
}

// String has the form file:line: reason: "text", which editors can jump to.
func (p Problem) String() string {
	return fmt.Sprintf("%s:%d: %s: %q", p.File, p.Line, p.Reason, p.Text)
}

// maxText is the length, in bytes, to which a bad line is cut for its report.
const maxText = 60

// excerpt copies the beginning of a line, as long as a report shows.
func excerpt(line []byte) string {
	if len(line) > maxText {
		return string(line[:maxText]) + "..."
	}
	return string(line)
}

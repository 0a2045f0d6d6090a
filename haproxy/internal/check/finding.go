package check

import (
	"fmt"
	"strings"
)

// Finding is something in HAProxy's configuration that does not fit the agent.
type Finding struct {
	// Code names the kind, such as "argument-missing", for programs. The kinds
	// are listed with haproxy.Check.
	Code string `json:"code"`
	File string `json:"file"`
	Line int    `json:"line"`
	// Problem is what is wrong, Effect what happens at run time, Mend what to do.
	Problem string `json:"problem"`
	Effect  string `json:"effect"`
	Mend    string `json:"mend"`
}

// String returns the finding on one line, as compilers write theirs.
func (f Finding) String() string {
	return fmt.Sprintf("%s:%d: %s [%s]", f.File, f.Line, f.Problem, f.Code)
}

// Text returns the finding with its effect and its mend, on several lines and
// without a line end.
func (f Finding) Text() string {
	var s strings.Builder
	s.WriteString(f.String())
	wrap(&s, "    At run time: ", f.Effect)
	wrap(&s, "    To mend it:  ", f.Mend)
	return s.String()
}

// wrap adds lines of a text, the first behind a title.
func wrap(s *strings.Builder, title, t string) {
	line, indent := "\n"+title, strings.Repeat(" ", len(title))
	for i, w := range strings.Fields(t) {
		switch {
		case i == 0:
			line += w
		case len(line)+len(w) > lineWidth:
			s.WriteString(line)
			line = "\n" + indent + w
		default:
			line += " " + w
		}
	}
	s.WriteString(line)
}

// lineWidth is where texts are broken.
const lineWidth = 84

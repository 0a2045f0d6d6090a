package check

import (
	"fmt"
	"strings"

	"github.com/spoke-go/spoke/internal/wrap"
)

// Finding is a mistake in HAProxy's configuration: it does not fit the agent.
type Finding struct {
	// Code names the kind, such as "argument-missing", for programs. haproxy.Check
	// lists the kinds.
	Code string `json:"code"`
	File string `json:"file"`
	Line int    `json:"line"`
	// Problem describes the mistake, Effect its effect at run time, Fix how to correct
	// it.
	Problem string `json:"problem"`
	Effect  string `json:"effect"`
	Fix     string `json:"fix"`
}

// String returns the finding on one line, in the form of a compiler's message.
func (f Finding) String() string {
	return fmt.Sprintf("%s:%d: %s [%s]", f.File, f.Line, f.Problem, f.Code)
}

// Text returns the finding with its effect and its correction, on several lines and
// without a line end.
func (f Finding) Text() string {
	const indent = "                 " // as wide as the titles
	lines := append([]string{f.String()}, wrap.Lines("    At run time: ", indent, f.Effect)...)
	return strings.Join(append(lines, wrap.Lines("    To fix it:   ", indent, f.Fix)...), "\n")
}

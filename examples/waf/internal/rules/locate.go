package rules

import (
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/corazawaf/coraza/v3"
	"github.com/corazawaf/coraza/v3/debuglog"
)

// locate returns the place of the directive that keeps rules from being compiled, such
// as /etc/waf/shop.conf:7. Coraza's errors have none, so this compiles once more, with a
// log that tells the directives, and looks for the last one in what was read.
func locate(src Source) string {
	last := ""
	log := debuglog.DefaultWithPrinterFactory(func(io.Writer) debuglog.Printer {
		return func(_ debuglog.Level, message, fields string) {
			if text, ok := strings.CutPrefix(fields, "line="); ok && message == "Parsing directive" {
				last, _ = strconv.Unquote(text)
			}
		}
	})
	root := new(root)
	_, _ = coraza.NewWAF(src.config(root).WithDebugLogger(log.WithOutput(io.Discard).WithLevel(debuglog.LevelDebug)))
	for _, f := range slices.Backward(append([]file{{text: src.Directives}}, root.read...)) {
		if n := lineOf(f.text, last); n > 0 {
			return f.at(n)
		}
	}
	return "the rules as a whole"
}

// lineOf returns the line, from 1 on, at which a directive begins in a text, or 0. A
// directive goes on in the next line behind a backslash.
func lineOf(text, directive string) int {
	begin, joined := 0, ""
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if joined == "" {
			begin = i + 1
		}
		more, goesOn := strings.CutSuffix(line, `\`)
		if joined += more; goesOn {
			continue
		}
		if joined == directive {
			return begin
		}
		joined = ""
	}
	return 0
}

package command

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/spoke-go/spoke/cmd/spoectl/internal/status"
	"github.com/spoke-go/spoke/internal/wrap"
)

func newExplain() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "explain NUMBER|LINE…",
		Short: "Explain a status of HAProxy's SPOE filter or of a DISCONNECT, or a whole log line",
		Long: `Explain a number that HAProxy's SPOE filter logs as st= or sets by
"option set-on-error", the status of a DISCONNECT, or a whole line of HAProxy's
log, of its SPOE filter or of a health check. The answer says what happened, in
which versions, and what to do. Without arguments, it reads lines from standard input
and passes over lines without a status.

A number below 256 may be both, and both are explained: "st=4" and "status 4" ask
for one of them.`,
		Example: `  spoectl explain 257
  spoectl explain 'SPOE: [agent] <EVENT:on-frontend-http-request> sid=7 st=1 500'
  journalctl -u haproxy | grep -v st=0 | spoectl explain`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, words []string) error {
			all, err := explainWords(words)
			if len(words) == 0 {
				all, err = explainLines(cmd.InOrStdin())
			}
			if err != nil {
				return err
			}
			for _, e := range all {
				if len(e.Explanations) == 0 {
					return fmt.Errorf("%s: neither HAProxy nor SPOP has such a status: st= has 0 to 5, 255, and 256 + the status of a DISCONNECT", e.Of)
				}
			}
			out := cmd.OutOrStdout()
			return printResult(out, asJSON, all, func() {
				for i, e := range all {
					if i > 0 {
						fmt.Fprintln(out)
					}
					e.print(out)
				}
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// explainWords explains each argument, or all of them as a line that was pasted
// without quotes.
func explainWords(words []string) ([]explained, error) {
	var all []explained
	for _, w := range words {
		e, ok := explain(w)
		if !ok {
			if e, ok := explain(strings.Join(words, " ")); ok {
				return []explained{e}, nil
			}
			return nil, fmt.Errorf("%q is neither a number, st=NUMBER, status NUMBER nor a line with one", w)
		}
		all = append(all, e)
	}
	return all, nil
}

// explained is one argument or line.
type explained struct {
	Of           string               `json:"of"`
	Line         []string             `json:"line,omitempty"` // other fields of a SPOE line
	Explanations []status.Explanation `json:"explanations"`
}

var (
	bareNumber = regexp.MustCompile(`^\s*(\d+)\s*$`)
	stNumber   = regexp.MustCompile(`\bst=(\d+)`)
	statusWord = regexp.MustCompile(`(?i)\b(?:status(?:-code)?|code|disconnect)[ =:"]+(?:UINT32 )?(\d+)\b`)
)

// explain finds a status in its input.
func explain(s string) (explained, bool) {
	e := explained{Of: strings.TrimSpace(s)}
	if l, ok := status.Parse(s); ok {
		e.Line = l.Words()
		e.add(status.St(l.Status))
		return e, true
	}
	if x, words, ok := status.Health(s); ok {
		e.Line = words
		e.add(x, true)
		return e, true
	}
	if n, ok := find(bareNumber, s); ok {
		e.add(status.St(n))
		if n < 256 {
			e.add(status.Disconnect(n))
		}
		return e, true
	}
	if n, ok := find(stNumber, s); ok {
		e.add(status.St(n))
		return e, true
	}
	if n, ok := find(statusWord, s); ok {
		e.add(status.Disconnect(n))
		return e, true
	}
	return e, false
}

func find(expr *regexp.Regexp, s string) (int, bool) {
	m := expr.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	n, err := strconv.ParseUint(m[1], 10, 33)
	return int(n), err == nil
}

func (e *explained) add(x status.Explanation, ok bool) {
	if ok {
		e.Explanations = append(e.Explanations, x)
	}
}

// maxLines is the largest number of lines that are read of a log.
const maxLines = 10_000

// explainLines explains each line that has a status, and lines with the same status once.
func explainLines(in io.Reader) ([]explained, error) {
	var all []explained
	seen := map[string]bool{}
	lines := bufio.NewScanner(in)
	for n := 0; n < maxLines && lines.Scan(); n++ {
		e, ok := explain(lines.Text())
		if !ok || len(e.Explanations) == 0 || seen[e.Explanations[0].Title] {
			continue
		}
		seen[e.Explanations[0].Title] = true
		all = append(all, e)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("standard input: %w", err)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no line of standard input has a status")
	}
	return all, nil
}

func (e explained) print(out io.Writer) {
	if len(e.Line) > 0 {
		fmt.Fprintln(out, oneLine(e.Of))
	}
	for _, w := range e.Line {
		fmt.Fprintln(out, "    "+w)
	}
	for i, x := range e.Explanations {
		if i > 0 {
			fmt.Fprintln(out)
		}
		fmt.Fprintln(out, x.Title)
		for _, m := range x.Means {
			versions := ""
			if m.Versions != "" {
				versions = "HAProxy " + m.Versions + ": "
			}
			printWrapped(out, "    ", versions+m.Text)
		}
		fmt.Fprintln(out, "  What to do:")
		for _, d := range x.Do {
			printWrapped(out, "    - ", d)
		}
	}
}

// printWrapped prints text in lines, the first behind first and the others below it.
func printWrapped(out io.Writer, first, text string) {
	for _, line := range wrap.Lines(first, strings.Repeat(" ", len(first)), text) {
		fmt.Fprintln(out, line)
	}
}

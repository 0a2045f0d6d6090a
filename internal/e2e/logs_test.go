package e2e_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/spoke-go/spoke/internal/lockedbuffer"
)

// logs keeps what an agent logs, as lines of slog's text form.
type logs struct{ lockedbuffer.Buffer }

// newLogs writes the lines to the test's log if the test fails.
func newLogs(t *testing.T) *logs {
	l := new(logs)
	t.Cleanup(func() {
		if text := l.String(); t.Failed() && text != "" {
			t.Logf("the agent logged:\n%s", text[max(0, len(text)-3<<10):])
		}
	})
	return l
}

func (l *logs) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// complaints are the lines of level WARN and above.
func (l *logs) complaints() []string {
	var found []string
	for line := range strings.Lines(l.String()) {
		if strings.Contains(line, "level=WARN") || strings.Contains(line, "level=ERROR") {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found
}

package e2e_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
)

// logs keeps what an agent logs, as lines of slog's text form.
type logs struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

// newLogs has the lines in the test's log if the test fails.
func newLogs(t *testing.T) *logs {
	l := new(logs)
	t.Cleanup(func() {
		if text := l.String(); t.Failed() && text != "" {
			t.Logf("the agent logged:\n%s", text[max(0, len(text)-3<<10):])
		}
	})
	return l
}

func (l *logs) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
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

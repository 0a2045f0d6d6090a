package servicetest

import (
	"os"
	"strings"
	"testing"

	"github.com/spoke-go/spoke/service"
)

// CheckFiles checks the agent's part of HAProxy's configuration in the tests' folder:
// that spoe.conf and agents.cfg are what the agent writes, that haproxy.cfg has the
// agent's lines for a frontend, in their order, and that -check-config finds no
// mistake.
func CheckFiles[C any](t testing.TB, a service.Agent[C]) {
	t.Helper()
	printed := func(part string) string {
		status, stdout, stderr := Once(t, a, nil, "-print-config="+part)
		if status != 0 {
			t.Fatalf("-print-config=%s: status %d: %s", part, status, stderr)
		}
		return stdout
	}
	read := func(file string) string {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for part, file := range map[string]string{"spoe": "spoe.conf", "backend": "agents.cfg"} {
		if read(file) != printed(part) {
			t.Errorf("%s is not as the agent writes it: run go generate", file)
		}
	}
	rest := read("haproxy.cfg")
	for line := range strings.Lines(printed("frontend")) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		_, after, found := strings.Cut(rest, "\n    "+line+"\n")
		if !found {
			t.Errorf("haproxy.cfg has no line %q, or has it too early", line)
			continue
		}
		rest = "\n" + after // the next line may follow at once
	}
	if status, stdout, stderr := Once(t, a, nil, "-check-config", "agents.cfg,haproxy.cfg"); status != 0 || stdout != "" {
		t.Errorf("-check-config: status %d:\n%s%s", status, stdout, stderr)
	}
}

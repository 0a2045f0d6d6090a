//go:build unix

package recipes

import (
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

// Agent is a program that runs.
type Agent struct {
	Addr string // that it listens on

	t *testing.T
	p *haproxytest.Program
}

var listening = regexp.MustCompile(`spoe: listening addr=(\S+)`)

// StartAgent starts an agent of examples/cookbook, and returns when it listens. It
// ends with the test.
func StartAgent(t *testing.T, name string, args ...string) *Agent {
	t.Helper()
	return StartProgram(t, Executable(t, name), listening, args...)
}

// StartProgram starts a program, and returns when it has written where it listens:
// the first group of says matches its address.
func StartProgram(t *testing.T, path string, says *regexp.Regexp, args ...string) *Agent {
	t.Helper()
	a := &Agent{t: t, p: haproxytest.StartProgram(t, exec.Command(path, args...))}
	a.Addr = a.Says(says)
	return a
}

// Says waits for an expression in the output, and returns its first group.
func (a *Agent) Says(re *regexp.Regexp) string {
	a.t.Helper()
	var m []string
	Until(a.t, func() bool {
		m = re.FindStringSubmatch(a.Output())
		return m != nil || a.gone()
	}, func() string { return "the agent does not say " + re.String() })
	require.NotNil(a.t, m, "the agent has ended: %s", a.Output())
	return m[1]
}

// SaysSoon waits for a text in the output.
func (a *Agent) SaysSoon(text string) {
	a.t.Helper()
	Until(a.t, func() bool { return strings.Contains(a.Output(), text) }, func() string { return "the agent does not say " + text })
}

// Output returns the program's output so far.
func (a *Agent) Output() string { return a.p.Output() }

func (a *Agent) gone() bool {
	select {
	case <-a.p.Ended():
		return true
	default:
		return false
	}
}

// Signal may fail only because the program has ended.
func (a *Agent) Signal(sig syscall.Signal) {
	if !a.gone() {
		_ = syscall.Kill(a.p.Pid(), sig)
	}
}

// Kill ends the agent as a crash does. It returns when the program has ended.
func (a *Agent) Kill() {
	a.Signal(syscall.SIGKILL)
	<-a.p.Ended()
}

// Hang stops the whole program, until it is killed.
func (a *Agent) Hang() { a.Signal(syscall.SIGSTOP) }

// Terminate begins an orderly restart, and returns at the end of it.
func (a *Agent) Terminate() {
	a.t.Helper()
	a.p.Stop(syscall.SIGTERM, Patience)
	require.NotContains(a.t, a.Output(), "ERROR")
}

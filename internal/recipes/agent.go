//go:build unix

package recipes

import (
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// Agent is a program that runs.
type Agent struct {
	Addr string // that it listens on

	t     *testing.T
	cmd   *exec.Cmd
	out   *Buffer
	ended chan struct{} // closed when it has
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
	a := &Agent{t: t, cmd: exec.Command(path, args...), out: new(Buffer), ended: make(chan struct{})}
	a.cmd.Stdout, a.cmd.Stderr = a.out, a.out
	a.cmd.SysProcAttr = EndWithParent()
	started := make(chan error, 1)
	// Ends with the program, which the cleanup kills. The thread is kept for
	// EndWithParent.
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := a.cmd.Start()
		started <- err
		if err == nil {
			_ = a.cmd.Wait() // its output shows how it ends
			close(a.ended)
		}
	}()
	require.NoError(t, <-started)
	t.Cleanup(func() {
		a.Kill()
		if t.Failed() {
			t.Logf("%s %v wrote:\n%s", path, args, a.out)
		}
	})
	a.Addr = a.Says(says)
	return a
}

// Says waits for an expression in the output, and returns its first group.
func (a *Agent) Says(re *regexp.Regexp) string {
	a.t.Helper()
	var m []string
	Until(a.t, func() bool {
		m = re.FindStringSubmatch(a.out.String())
		return m != nil || a.gone()
	}, func() string { return "the agent does not say " + re.String() })
	require.NotNil(a.t, m, "the agent has ended: %s", a.out)
	return m[1]
}

// SaysSoon waits for a text in the output.
func (a *Agent) SaysSoon(text string) {
	a.t.Helper()
	Until(a.t, func() bool { return strings.Contains(a.out.String(), text) }, func() string { return "the agent does not say " + text })
}

// Output returns what the program has written so far.
func (a *Agent) Output() string { return a.out.String() }

func (a *Agent) gone() bool {
	select {
	case <-a.ended:
		return true
	default:
		return false
	}
}

// Signal may fail only because the program has ended.
func (a *Agent) Signal(sig os.Signal) { _ = a.cmd.Process.Signal(sig) }

// Kill ends the agent as a crash does. It returns when the program has ended.
func (a *Agent) Kill() {
	a.Signal(os.Kill)
	<-a.ended
}

// Hang stops the whole program, until it is killed.
func (a *Agent) Hang() { a.Signal(syscall.SIGSTOP) }

// Terminate begins an orderly restart, and returns at the end of it.
func (a *Agent) Terminate() {
	a.t.Helper()
	a.Signal(syscall.SIGTERM)
	Until(a.t, a.gone, func() string { return "SIGTERM does not end the agent" })
	require.True(a.t, a.cmd.ProcessState.Success(), "%v: %s", a.cmd.ProcessState, a.out)
	require.NotContains(a.t, a.out.String(), "ERROR")
}

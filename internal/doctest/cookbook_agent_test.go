//go:build unix && !race

package docs_test

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

// agent is a program of the cookbook that runs.
type agent struct {
	t     *testing.T
	addr  string // that it listens on
	cmd   *exec.Cmd
	out   *safeBuffer
	ended chan struct{} // closed when it has
}

var listening = regexp.MustCompile(`spoe: listening addr=(\S+)`)

// startAgent starts a program, and returns when it listens. It ends with the test.
func startAgent(t *testing.T, name string, args ...string) *agent {
	t.Helper()
	a := &agent{t: t, cmd: exec.Command(program(t, name), args...), out: new(safeBuffer), ended: make(chan struct{})}
	a.cmd.Stdout, a.cmd.Stderr = a.out, a.out
	a.cmd.SysProcAttr = endWithParent()
	started := make(chan error, 1)
	// Ends with the program, which the cleanup kills. The thread is kept for
	// endWithParent.
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := a.cmd.Start()
		started <- err
		if err == nil {
			_ = a.cmd.Wait() // how it ends is seen by its output
			close(a.ended)
		}
	}()
	require.NoError(t, <-started)
	t.Cleanup(func() {
		a.kill()
		if t.Failed() {
			t.Logf("%s %v wrote:\n%s", name, args, a.out)
		}
	})
	a.addr = a.says(listening)
	return a
}

// says waits for what an expression's first group matches in the output.
func (a *agent) says(re *regexp.Regexp) string {
	a.t.Helper()
	var m []string
	until(a.t, func() bool {
		m = re.FindStringSubmatch(a.out.String())
		return m != nil || a.gone()
	}, func() string { return "the agent does not say " + re.String() })
	require.NotNil(a.t, m, "the agent has ended: %s", a.out)
	return m[1]
}

func (a *agent) gone() bool {
	select {
	case <-a.ended:
		return true
	default:
		return false
	}
}

// signal may fail only because the program has ended.
func (a *agent) signal(sig os.Signal) { _ = a.cmd.Process.Signal(sig) }

// kill is what a crash is to HAProxy. It returns when the program has ended.
func (a *agent) kill() {
	a.signal(os.Kill)
	<-a.ended
}

// hang has the whole program stop, until it is killed.
func (a *agent) hang() { a.signal(syscall.SIGSTOP) }

// terminate is what an orderly restart begins with, and returns at the end of it.
func (a *agent) terminate() {
	a.t.Helper()
	a.signal(syscall.SIGTERM)
	until(a.t, a.gone, func() string { return "SIGTERM does not end the agent" })
	require.True(a.t, a.cmd.ProcessState.Success(), "%v: %s", a.cmd.ProcessState, a.out)
	require.NotContains(a.t, a.out.String(), "ERROR")
}

// saysSoon waits for a text in the output.
func (a *agent) saysSoon(text string) {
	a.t.Helper()
	until(a.t, func() bool { return strings.Contains(a.out.String(), text) }, func() string { return "the agent does not say " + text })
}

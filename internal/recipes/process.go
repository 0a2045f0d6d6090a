//go:build unix

package recipes

import (
	"os/exec"
	"regexp"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

// Process is a program that runs, such as an agent.
type Process struct {
	*haproxytest.Program
	Addr string // that it listens on

	t *testing.T
}

var listening = regexp.MustCompile(`spoe: listening addr=(\S+)`)

// StartAgent starts an agent of examples/cookbook, and returns when it listens. It
// ends with the test.
func StartAgent(t *testing.T, name string, args ...string) *Process {
	t.Helper()
	return StartProgram(t, Executable(t, name), listening, args...)
}

// StartProgram starts a program, and returns when the program logs its address: the
// first group of says matches its address.
func StartProgram(t *testing.T, path string, says *regexp.Regexp, args ...string) *Process {
	t.Helper()
	p := &Process{t: t, Program: haproxytest.StartProgram(t, exec.Command(path, args...))}
	p.Addr = p.Says(says)
	return p
}

// Says waits for an expression in the output, and returns its first group.
func (p *Process) Says(re *regexp.Regexp) string {
	p.t.Helper()
	var m []string
	Until(p.t, func() bool {
		m = re.FindStringSubmatch(p.Output())
		return m != nil || p.gone()
	}, func() string { return "the program does not write " + re.String() })
	require.NotNil(p.t, m, "the program has ended: %s", p.Output())
	return m[1]
}

func (p *Process) gone() bool {
	select {
	case <-p.Ended():
		return true
	default:
		return false
	}
}

// Signal may fail only because the program ended.
func (p *Process) Signal(sig syscall.Signal) {
	if !p.gone() {
		_ = syscall.Kill(p.Pid(), sig)
	}
}

// Kill ends the program as a crash does. It returns when the program ends.
func (p *Process) Kill() {
	p.Signal(syscall.SIGKILL)
	<-p.Ended()
}

// Hang stops the whole program, until it is killed.
func (p *Process) Hang() { p.Signal(syscall.SIGSTOP) }

// Terminate begins an orderly restart, and returns at the end of it.
func (p *Process) Terminate() {
	p.t.Helper()
	p.Stop(syscall.SIGTERM, Patience)
	require.NotContains(p.t, p.Output(), "ERROR")
}

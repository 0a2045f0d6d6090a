package haproxytest

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/spoke-go/spoke/internal/child"
	"github.com/spoke-go/spoke/internal/lockedbuffer"
)

// Program is a program, such as the agent itself, that runs for one test.
type Program struct {
	tb  testing.TB
	p   *child.Process
	out lockedbuffer.Buffer
}

// StartProgram starts cmd as Start starts HAProxy: it ends with the test, also where
// the test is killed on Linux, and where the test failed, its output is in the
// test's log. StartProgram sets cmd's Stdout and Stderr.
//
// It returns once the program runs; WaitOutput and WaitListening wait until it is
// ready.
func StartProgram(tb testing.TB, cmd *exec.Cmd) *Program {
	tb.Helper()
	p := &Program{tb: tb}
	var err error
	if p.p, err = child.Start(cmd, &p.out); err != nil {
		tb.Fatalf("start %s: %v", cmd.Path, err)
	}
	tb.Cleanup(func() {
		p.p.Kill()
		if text := p.Output(); tb.Failed() && text != "" {
			tb.Logf("%s wrote:\n%s", cmd.Path, text[max(0, len(text)-16<<10):])
		}
	})
	return p
}

// Output returns the program's output so far, standard output and standard error.
func (p *Program) Output() string {
	text := p.out.String()
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return text
}

// WaitOutput returns when the program has written a line that contains text. It
// fails the test if the program ends before, or does not write it.
func (p *Program) WaitOutput(text string) {
	p.tb.Helper()
	p.wait("has not written "+text, func() bool { return strings.Contains(p.Output(), text) })
}

// WaitListening returns when the program takes connections at an address as in
// net.Dial. It fails the test if the program ends before, or does not listen.
func (p *Program) WaitListening(network, addr string) {
	p.tb.Helper()
	p.wait("does not listen on "+addr, func() bool {
		c, err := net.DialTimeout(network, addr, time.Second)
		return err == nil && c.Close() == nil
	})
}

// wait polls, because a listening program gives no other sign.
func (p *Program) wait(problem string, ready func() bool) {
	p.tb.Helper()
	deadline := time.NewTimer(startLimit)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ready() {
		select {
		case <-tick.C:
		case <-p.p.Ended:
			if !ready() {
				p.tb.Fatalf("%s ended (%v) and %s; it wrote:\n%s", p.p.Cmd.Path, p.p.Err, problem, p.Output())
			}
		case <-deadline.C:
			p.tb.Fatalf("%s %s after %v; it wrote:\n%s", p.p.Cmd.Path, problem, startLimit, p.Output())
		}
	}
}

// Stop sends a signal and returns when the program has ended. An exit status other
// than 0 fails the test, and so does a program that goes on beyond limit.
func (p *Program) Stop(sig os.Signal, limit time.Duration) {
	p.tb.Helper()
	if err := p.p.Cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.tb.Fatalf("%v to %s: %v", sig, p.p.Cmd.Path, err)
	}
	select {
	case <-p.p.Ended:
		if p.p.Err != nil {
			p.tb.Fatalf("%s ended: %v; it wrote:\n%s", p.p.Cmd.Path, p.p.Err, p.Output())
		}
	case <-time.After(limit):
		p.tb.Fatalf("%s has not ended %v after %v", p.p.Cmd.Path, limit, sig)
	}
}

// Pid is the number of the program's process.
func (p *Program) Pid() int { return p.p.Pid() }

// Ended is closed when the program has ended.
func (p *Program) Ended() <-chan struct{} { return p.p.Ended }

// Package child starts programs that do not outlive this one.
package child

import (
	"io"
	"os"
	"os/exec"
	"runtime"
	"time"
)

// Process is a program that runs or that ended.
type Process struct {
	Cmd   *exec.Cmd
	Ended chan struct{} // closed when it ends, Err is set then
	Err   error
}

// Start starts cmd with its output to out. On Linux the program ends with this one, even if
// this one is killed.
func Start(cmd *exec.Cmd, out io.Writer) (*Process, error) {
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = endWithParent()
	// Where out is still held open by a descendant.
	cmd.WaitDelay = 2 * time.Second

	p := &Process{Cmd: cmd, Ended: make(chan struct{})}
	started := make(chan error, 1)
	go func() { // ends with the program
		// "With the parent" means the thread that started it: this one stays
		// for as long as the program does.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		p.Err = cmd.Wait()
		close(p.Ended)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// Pid is the number of the process.
func (p *Process) Pid() int { return p.Cmd.Process.Pid }

// HasEnded reports whether Ended is closed.
func (p *Process) HasEnded() bool {
	select {
	case <-p.Ended:
		return true
	default:
		return false
	}
}

// Signal may fail only because the program ended, which Ended reports.
func (p *Process) Signal(sig os.Signal) { _ = p.Cmd.Process.Signal(sig) }

// Kill ends the program at once, and returns when it ends.
func (p *Process) Kill() {
	p.Signal(os.Kill)
	<-p.Ended
}

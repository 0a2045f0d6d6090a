package haproxytest

import (
	"io"
	"os"
	"os/exec"
	"runtime"
	"time"
)

// process is one running haproxy. HAProxy keeps it in the foreground and
// single (-db), so that its end is ours to see.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when it has ended, err is set then
	err   error
}

func startProcess(cmd *exec.Cmd, out io.Writer) (*process, error) {
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = endWithParent()
	// Where out is still held open by a descendant.
	cmd.WaitDelay = 2 * time.Second

	p := &process{cmd: cmd, ended: make(chan struct{})}
	started := make(chan error, 1)
	// Ends with the process, which HAProxy.Close kills and waits for.
	go func() {
		// "With the parent" means the thread that started it: this one stays
		// for as long as the process does.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		p.err = cmd.Wait()
		close(p.ended)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

func (p *process) hasEnded() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// signal may fail only because the process has ended, which others see.
func (p *process) signal(sig os.Signal) { _ = p.cmd.Process.Signal(sig) }

// kill ends it at once and returns when it has ended.
func (p *process) kill() {
	p.signal(os.Kill)
	<-p.ended
}

package e2e_test

import (
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// process is a program that a test has started.
type process struct {
	*exec.Cmd
	logs  *logs         // what it has written
	ended chan struct{} // closed when it has ended; err is set then
	err   error
}

// startProcess starts a program that ends with the test at the latest.
func startProcess(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{Cmd: cmd, logs: newLogs(t), ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.logs, p.logs
	cmd.SysProcAttr = endWithParent()
	started := make(chan error, 1)
	// Ends with the program, which the cleanup kills. The thread is kept for
	// endWithParent.
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.ended)
		}
	}()
	require.NoError(t, <-started)
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		<-p.ended
	})
	return p
}

// stop sends a signal and waits for the end, which must be an orderly one.
func (p *process) stop(t *testing.T, sig os.Signal, limit time.Duration) {
	t.Helper()
	require.NoError(t, p.Process.Signal(sig))
	select {
	case <-p.ended:
		require.NoError(t, p.err, "%s", p.logs)
	case <-time.After(limit):
		require.FailNow(t, "the process has not ended", "%v after %v", limit, sig)
	}
}

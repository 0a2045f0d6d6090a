package haproxytest

import (
	"os"
	"syscall"
)

// softStop asks HAProxy to end when its connections have.
var softStop os.Signal = syscall.SIGUSR1

// endWithParent makes a test that was killed, or that ran into its timeout,
// take its HAProxy with it: neither runs its cleanups.
func endWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

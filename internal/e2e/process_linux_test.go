package e2e_test

import "syscall"

// endWithParent has the kernel end a process with the thread that started it: a
// test binary that is killed runs no cleanups.
func endWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

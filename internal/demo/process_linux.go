package main

import "syscall"

// endWithParent keeps Ctrl-C, which goes to the whole group of the terminal, from
// ending them in any order, and ends them if this process is killed.
func endWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}

package child

import "syscall"

// endWithParent ends the program if this one is killed, or if a test runs into its timeout:
// neither runs its cleanups. Ctrl-C goes to a terminal's whole group of processes: in a
// group of its own, the program ends when this one ends it, in the order that this one
// chooses.
func endWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

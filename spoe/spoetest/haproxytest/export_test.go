package haproxytest

import "syscall"

// Internals for the external tests.
var (
	MissingVersions = missingVersions
	ParseSPOELog    = parseSPOELog
)

// ForgetSbin has Installed look on $PATH and in the cache only.
func ForgetSbin() { sbin = nil }

// Crash ends the process as if it had crashed.
func Crash(h *HAProxy) {
	_ = h.serving().Cmd.Process.Signal(syscall.SIGABRT)
	<-h.serving().Ended
}

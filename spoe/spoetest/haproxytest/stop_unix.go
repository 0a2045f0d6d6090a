//go:build unix

package haproxytest

import (
	"os"
	"syscall"
)

// softStop asks HAProxy to end when its connections have.
var softStop os.Signal = syscall.SIGUSR1

//go:build unix && !linux

package haproxytest

import (
	"os"
	"syscall"
)

// softStop asks HAProxy to end when its connections have.
var softStop os.Signal = syscall.SIGUSR1

func endWithParent() *syscall.SysProcAttr { return nil }

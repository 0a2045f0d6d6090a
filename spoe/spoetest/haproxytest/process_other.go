//go:build !unix

package haproxytest

import (
	"os"
	"syscall"
)

// There is no HAProxy for these systems; the rest of the package is for them.
var softStop = os.Kill

func endWithParent() *syscall.SysProcAttr { return nil }

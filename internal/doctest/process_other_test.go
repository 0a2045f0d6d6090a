//go:build !linux

package docs_test

import "syscall"

// endWithParent has nothing to do where no kernel does that.
func endWithParent() *syscall.SysProcAttr { return nil }

//go:build !linux

package recipes

import "syscall"

// EndWithParent changes nothing where no kernel ends a process with its parent.
func EndWithParent() *syscall.SysProcAttr { return nil }

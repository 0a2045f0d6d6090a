//go:build !unix

package spoe

import "syscall"

func (r *reader) initRaw(syscall.Conn) {}

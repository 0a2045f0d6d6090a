//go:build !unix

package spoe

import "syscall"

func (r *reader) initRaw(syscall.Conn) {}

func (r *reader) pending() bool { return false }

func (r *reader) ended() bool { return false }

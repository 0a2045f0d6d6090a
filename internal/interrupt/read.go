// Package interrupt lets a signal end a program that waits for a file.
package interrupt

import (
	"context"
	"errors"
)

// Err is the error of [Read] if its context ends first.
var Err = errors.New("interrupted while reading")

// Read returns what f returns, or Err as soon as ctx ends: no context ends the read of
// a pipe or a terminal, or the opening of a pipe without a writer. f then continues
// until its read returns, or until the process ends.
func Read(ctx context.Context, f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }() // Read does not wait for it after the end of ctx
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return Err
	}
}

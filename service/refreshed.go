package service

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
)

// Refreshed keeps a value that another server publishes, such as the keys of an issuer, and
// reads it regularly, so that no request waits for that server. While the server is down
// the last value stays. Set the exported fields before the first call.
type Refreshed[T any] struct {
	// Read reads the value. It must return within a bounded time.
	Read func(context.Context) (T, error)
	// Every is the time between two reads. Default: 5 minutes.
	Every time.Duration
	// Retry is the longest pause after a failed Read. The first pause is a second, and each
	// next one twice as long. Default: 30 seconds.
	Retry time.Duration
	// Pause is the minimum time between two reads that Again starts. Default: 10 seconds.
	Pause time.Duration
	// Log gets a line when Read begins to fail, and when it succeeds again. It must be
	// set.
	Log *slog.Logger
	// Now is the clock of Pause. Default: time.Now.
	Now func() time.Time

	value   atomic.Pointer[T]
	failing atomic.Bool
	read    atomic.Bool // set by Read
	one     singleflight.Group
	asked   time.Time // by Again; one guards it
}

// Load returns the value; ok is false until the first success of Read. Any number of
// goroutines may call it.
func (r *Refreshed[T]) Load() (value T, ok bool) {
	if v := r.value.Load(); v != nil {
		return *v, true
	}
	return value, false
}

// Store sets the value, for example to one from before a reload.
func (r *Refreshed[T]) Store(value T) { r.value.Store(&value) }

// Up reports whether the last read succeeded.
func (r *Refreshed[T]) Up() bool { return r.read.Load() && !r.failing.Load() }

// Run reads the value, at once and then regularly, until ctx ends.
func (r *Refreshed[T]) Run(ctx context.Context) {
	const first = time.Second
	for retry := first; ctx.Err() == nil; {
		wait := cmp.Or(r.Every, 5*time.Minute)
		if r.once(ctx) == nil {
			retry = first
		} else {
			wait = min(retry, cmp.Or(r.Retry, 30*time.Second))
			retry *= 2
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// errPause is the error of a call of Again within Pause.
var errPause = errors.New("it was read a moment ago")

// Again reads the value now and reports whether that succeeded. Concurrent calls share one
// read, and a call within Pause after another does not read: visitors who ask for a value
// that does not exist must not cost the other server a request each.
func (r *Refreshed[T]) Again(ctx context.Context) bool {
	now := time.Now
	if r.Now != nil {
		now = r.Now
	}
	done := r.one.DoChan("", func() (any, error) {
		if at := now(); !r.asked.IsZero() && at.Sub(r.asked) < cmp.Or(r.Pause, 10*time.Second) {
			return nil, errPause
		}
		r.asked = now()
		return nil, r.once(context.WithoutCancel(ctx))
	})
	select {
	case result := <-done:
		return result.Err == nil
	case <-ctx.Done():
		return false
	}
}

// once reads the value.
func (r *Refreshed[T]) once(ctx context.Context) error {
	value, err := r.Read(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil {
		r.Store(value)
	}
	first := !r.read.Swap(true)
	switch failed := r.failing.Swap(err != nil); {
	case err != nil && (first || !failed):
		r.Log.Error("no answer; it is asked again", "error", err)
	case err == nil && failed:
		r.Log.Info("it answers again")
	}
	return err
}

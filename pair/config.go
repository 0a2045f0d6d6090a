package pair

import (
	"fmt"
	"time"
)

// Config configures a [Store]. The zero Config works.
type Config[T any] struct {
	// TTL is the time that a value waits to be taken. It must be longer than the time
	// between the two messages: for a response, HAProxy's `timeout server`.
	// Default: 1 min.
	TTL time.Duration
	// MaxEntries is the largest number of values that wait at once. Above it, the
	// oldest value is evicted. Default: 65536.
	MaxEntries int
	// MaxBytes is the largest sum of the sizes of waiting values, by Size. Above it,
	// the oldest values are evicted; a single value that is larger is evicted at once.
	// Default: 64 MiB. It needs Size.
	MaxBytes int64
	// Size returns the size of a value in bytes. It is called once, by Put, without the
	// store's lock. Default: values have no size, and only MaxEntries bounds them.
	Size func(T) int64
	// Evicted is called for each value that leaves the store without being taken,
	// exactly once, to free the value's resources. It is called without the store's
	// lock, by the Put, Take or Close that evicts the value, or by a timer, so several
	// calls may run at the same time. It may use the store. A panic in it is dropped,
	// and counted in Stats. Default: no function is called.
	Evicted func(T, Reason)
}

const (
	defaultTTL        = time.Minute
	defaultMaxEntries = 65536
	defaultMaxBytes   = 64 << 20
)

// withDefaults fills in the defaults. It panics if the configuration cannot work.
func (c Config[T]) withDefaults() Config[T] {
	switch {
	case c.TTL < 0:
		panic(fmt.Sprintf("pair: Config.TTL is %v: write a time above 0, or 0 for %v", c.TTL, defaultTTL))
	case c.MaxEntries < 0:
		panic(fmt.Sprintf("pair: Config.MaxEntries is %d: write a number above 0, or 0 for %d", c.MaxEntries, defaultMaxEntries))
	case c.MaxBytes < 0:
		panic(fmt.Sprintf("pair: Config.MaxBytes is %d: write a number above 0, or 0 for %d", c.MaxBytes, defaultMaxBytes))
	case c.MaxBytes > 0 && c.Size == nil:
		panic("pair: Config.MaxBytes bounds nothing without Config.Size: set both")
	}
	if c.TTL == 0 {
		c.TTL = defaultTTL
	}
	if c.MaxEntries == 0 {
		c.MaxEntries = defaultMaxEntries
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = defaultMaxBytes
	}
	return c
}

// Reason is the reason why a value left the store without being taken.
type Reason int

// The reasons.
const (
	Expired  Reason = iota + 1 // it was not taken within Config.TTL
	Evicted                    // newer values took its place
	ShutDown                   // the store was closed
)

// String returns the reason in words.
func (r Reason) String() string {
	switch r {
	case Expired:
		return "expired"
	case Evicted:
		return "evicted"
	case ShutDown:
		return "shut down"
	}
	return fmt.Sprintf("Reason(%d)", int(r))
}

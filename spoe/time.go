package spoe

import (
	"math"
	"time"

	"github.com/spoke-go/spoke/spoe/internal/msgctx"
)

// epoch is the time from which an agent counts, so that a time fits into an atomic.
var epoch = msgctx.Epoch

// never is a time that does not come.
const never = math.MaxInt64

// since converts a time to nanoseconds since epoch.
func since(t time.Time) int64 { return int64(t.Sub(epoch)) }

// now is the time in nanoseconds since epoch, by the monotonic clock.
func now() int64 { return int64(time.Since(epoch)) }

// maxSpan is as long as any duration may be: it does not overflow when it is
// added to a time.
const maxSpan = 50 * 365 * 24 * time.Hour

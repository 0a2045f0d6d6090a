package fleet

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/spoke-go/spoke/examples/rate-limit/internal/gcra"
)

// The errors of [Store.Charge]. The state of the limits is not known then.
var (
	ErrSlow = errors.New("no answer within the deadline")
	ErrGone = errors.New("no answer of late: Redis is not asked")
)

const (
	inFlight   = 2    // round trips at once: one's answers are read while another is sent
	waiting    = 4096 // requests that wait for a round trip; more do not wait
	together   = 256  // requests of a round trip at most
	tolerated  = 3    // round trips in succession that fail before requests do not wait
	probeEvery = 100 * time.Millisecond
)

// Store charges requests in Redis. Set the fields before Run, and do not change them.
type Store struct {
	Client   redis.UniversalClient
	ProbeKey string        // written to check whether Redis is back
	Deadline time.Duration // of a request, and of a round trip
	// Changed is called when Redis is no longer asked, with the reason, and when it is
	// asked again, with nil. One goroutine calls it at a time.
	Changed func(reason error)

	calls   chan *call
	tripped chan struct{} // has one element when Gone was set
	failing atomic.Int32  // round trips that failed in succession

	Requests, RoundTrips, Failures atomic.Int64 // counters; failures are of round trips
	Gone                           atomic.Int64 // 1 while Redis is not asked, otherwise 0
}

// call is a request that waits. Its caller may leave before the answer.
type call struct {
	charges []gcra.Charge
	ahead   []int64
	err     error
	left    atomic.Bool
	done    chan struct{} // closed when ahead and err are set
}

// New returns a store, which answers while Run runs.
func New(client redis.UniversalClient, probeKey string, deadline time.Duration, changed func(reason error)) *Store {
	return &Store{Client: client, ProbeKey: probeKey, Deadline: deadline, Changed: changed,
		calls: make(chan *call, waiting), tripped: make(chan struct{}, 1)}
}

// Charge charges a request, unless one of the charges refuses it, and returns how far the
// TAT of each was ahead before, in ticks. It takes no longer than the deadline. After an
// error Redis may still charge the request, so do not change the charges. Any number of
// goroutines may call it.
func (s *Store) Charge(charges []gcra.Charge) ([]int64, error) {
	if s.Gone.Load() != 0 {
		return nil, ErrGone
	}
	c := &call{charges: charges, done: make(chan struct{})}
	limit := time.NewTimer(s.Deadline)
	defer limit.Stop()
	select {
	case s.calls <- c:
	default:
		return nil, ErrSlow
	}
	select {
	case <-c.done:
		return c.ahead, c.err
	case <-limit.C:
		c.left.Store(true)
		return nil, ErrSlow
	}
}

// Run asks Redis until ctx ends, and closes the client.
func (s *Store) Run(ctx context.Context) error {
	var running sync.WaitGroup
	for range inFlight {
		running.Go(func() { s.ask(ctx) })
	}
	s.recover(ctx)
	running.Wait()
	return s.Client.Close()
}

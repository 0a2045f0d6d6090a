package stress_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// patience is long enough for a busy machine under the race detector.
const patience = 30 * time.Second

// TestStress runs for SPOKE_STRESS, 30 s by default, in rounds with agents of their
// own. SPOKE_STRESS_SEED repeats a run's choices.
func TestStress(t *testing.T) {
	length := 30 * time.Second
	if s := os.Getenv("SPOKE_STRESS"); s != "" {
		var err error
		length, err = time.ParseDuration(s)
		require.NoError(t, err, "SPOKE_STRESS is a duration, such as 1h")
	}
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("SPOKE_STRESS_SEED"); s != "" {
		_, err := fmt.Sscan(s, &seed)
		require.NoError(t, err)
	}
	t.Logf("SPOKE_STRESS_SEED=%d", seed)
	var held, rounds int
	ends := map[string]int{}
	for end := time.Now().Add(length); time.Now().Before(end) && !t.Failed(); rounds++ {
		r := &round{t: t, rnd: rand.New(rand.NewPCG(seed, uint64(rounds)))}
		r.run(min(time.Until(end), time.Duration(1+r.rnd.IntN(4))*time.Second))
		held += r.held
		ends[r.end]++
	}
	t.Logf("%d ACKs were as they had to be; %d rounds, which ended by %v", held, rounds, ends)
	assert.Positive(t, held)
}

// round is one agent's life.
type round struct {
	t    *testing.T
	rnd  *rand.Rand
	to   *target
	kept kept
	end  string // how the agent ends
	held int
}

// target is the agent of a round.
type target struct {
	agent  *spoe.Agent
	dial   func(context.Context) (net.Conn, error)
	ended  chan error
	ending atomic.Bool // Shutdown or Close is about to be called
}

func (r *round) run(length time.Duration) {
	r.start()
	clients := make([]*client, 1+r.rnd.IntN(8))
	stop := time.Now().Add(length)
	var wg sync.WaitGroup
	for i := range clients {
		clients[i] = &client{t: r.t, rnd: rand.New(rand.NewPCG(r.rnd.Uint64(), 0)), to: r.to, id: i}
		wg.Go(func() { clients[i].run(stop) })
	}
	r.end = []string{"Shutdown of an idle agent", "Shutdown", "Shutdown without time", "Close"}[r.rnd.IntN(4)]
	if r.end == "Shutdown of an idle agent" {
		wg.Wait()
		r.to.ending.Store(true)
	} else {
		time.Sleep(time.Duration(r.rnd.Int64N(int64(length))))
	}
	r.finish()
	wg.Wait()
	detached := 0
	for _, c := range clients {
		r.held += c.held
		detached += c.detached
	}
	settled := func(t assert.TestingT) {
		s := r.to.agent.Stats()
		assert.Zero(t, s.InFlight, r.end)
		assert.Zero(t, s.Connections, r.end)
		assert.Zero(t, s.Late, r.end)
	}
	if r.end == "Shutdown of an idle agent" || r.end == "Shutdown" {
		assert.GreaterOrEqual(r.t, int(r.kept.detached.Load()), detached, "%s waits for detached messages", r.end)
		settled(r.t)
	} else { // gives handlers a second, in which a busy machine may not run them all
		assert.EventuallyWithT(r.t, func(t *assert.CollectT) { settled(t) }, patience, time.Millisecond)
	}
	r.kept.check(r.t)
}

// start starts an agent, on a socket or in memory, with random limits.
func (r *round) start() {
	r.to = &target{ended: make(chan error, 1), agent: &spoe.Agent{
		Handler: newRouter(r.rnd, &r.kept), Logger: slog.New(slog.DiscardHandler),
		MaxInFlight: 1 + r.rnd.IntN(64), MaxConcurrent: 1 + r.rnd.IntN(256), MaxBuffered: 1 << 20,
		NoEmptyACK: r.rnd.IntN(2) == 0,
		ConnState:  func(net.Conn, spoe.ConnState) {},
	}}
	if r.rnd.IntN(2) == 0 {
		r.to.agent.NotifyTimeout = 50 * time.Millisecond
	}
	var ln net.Listener
	if r.rnd.IntN(2) == 0 {
		mem := spoetest.NewListener()
		ln, r.to.dial = mem, func(ctx context.Context) (net.Conn, error) { return mem.DialContext(ctx) }
	} else {
		tcp, err := spoe.Listen("127.0.0.1:0")
		require.NoError(r.t, err)
		ln, r.to.dial = tcp, func(ctx context.Context) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", tcp.Addr().String())
		}
	}
	go func() { r.to.ended <- r.to.agent.Serve(ln) }() // ends in finish
}

// finish ends the agent and waits until it ends.
func (r *round) finish() {
	r.to.ending.Store(true)
	limit := patience
	if r.end == "Shutdown without time" {
		limit = time.Duration(r.rnd.IntN(100)) * time.Millisecond
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	switch r.end {
	case "Close":
		assert.NoError(r.t, r.to.agent.Close())
	case "Shutdown without time":
		if err := r.to.agent.Shutdown(ctx); err != nil {
			assert.ErrorIs(r.t, err, context.DeadlineExceeded)
		}
	default:
		assert.NoError(r.t, r.to.agent.Shutdown(ctx), r.end)
	}
	select {
	case err := <-r.to.ended:
		if !errors.Is(err, spoe.ErrAgentClosed) {
			assert.NoError(r.t, err, r.end)
		}
	case <-time.After(patience):
		r.t.Fatalf("the agent has not ended by %s within %v", r.end, patience)
	}
}

package spoe_test

import (
	"context"
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// At a bound the agent stops reading: nothing is refused, nothing is lost.
func TestInFlightBounds(t *testing.T) {
	for _, tt := range []struct {
		name  string
		agent *spoe.Agent
		conns int
		want  int64
	}{
		{"per connection", &spoe.Agent{MaxInFlight: 4}, 1, 4},
		{"per agent", &spoe.Agent{MaxConcurrent: 6}, 3, 6},
		{"one by one", &spoe.Agent{MaxConcurrent: 1}, 2, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var running, most atomic.Int64
				a := tt.agent
				a.Handler = spoe.HandlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error {
					most.Store(max(most.Load(), running.Add(1)))
					time.Sleep(10 * time.Millisecond)
					running.Add(-1)
					return nil
				})
				h := spoetest.NewAgent(t, a)
				clients := []*spoetest.Client{h.Client}
				for len(clients) < tt.conns {
					clients = append(clients, h.Dial(spoetest.DefaultHello()))
				}
				const each = 50
				for _, c := range clients {
					for range each {
						_, err := c.Notify(t.Context(), spoetest.Msg("m"))
						require.NoError(t, err)
					}
				}
				for _, c := range clients {
					for range each {
						_, err := c.AnyAck(t.Context())
						require.NoError(t, err)
					}
				}
				assert.Equal(t, tt.want, most.Load())
				synctest.Wait()
				assert.Zero(t, a.Stats().InFlight)
			})
		})
	}
}

// Connections over MaxConnections wait; they are served once others have gone.
func TestMaxConnections(t *testing.T) {
	ln, err := spoe.Listen("127.0.0.1:0")
	require.NoError(t, err)
	a := &spoe.Agent{Handler: nothing, MaxConnections: 2}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx, ln) }()
	var first []*spoetest.Client
	for range 2 {
		c, err := spoetest.Dial(t.Context(), "tcp", ln.Addr().String())
		require.NoError(t, err)
		first = append(first, c)
	}
	third := make(chan error, 1)
	go func() {
		c, err := spoetest.Dial(t.Context(), "tcp", ln.Addr().String())
		if err == nil {
			_, err = c.Ask(t.Context(), "m")
			c.Close()
		}
		third <- err
	}()
	select {
	case err := <-third:
		t.Fatalf("the third connection was served: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	first[0].Close()
	assert.NoError(t, <-third)
	first[1].Close()
	cancel()
	assert.NoError(t, <-ended)
}

func TestAllowedPeers(t *testing.T) {
	for _, tt := range []struct {
		peers string
		want  bool
	}{{"127.0.0.0/8", true}, {"192.0.2.0/24", false}} {
		ln, err := spoe.Listen("127.0.0.1:0")
		require.NoError(t, err)
		a := &spoe.Agent{Handler: nothing, AllowedPeers: []netip.Prefix{netip.MustParsePrefix(tt.peers)}}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- a.Run(ctx, ln) }()
		c, err := spoetest.Dial(t.Context(), "tcp", ln.Addr().String())
		assert.Equal(t, tt.want, err == nil, "%s: %v", tt.peers, err)
		if err == nil {
			c.Close()
		}
		cancel()
		assert.NoError(t, <-ended)
		assert.Equal(t, !tt.want, a.Stats().ConnectionsRefused == 1)
	}
}

// A connection goes at its age, give or take a tenth, when it is quiet.
func TestMaxConnectionAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const age = time.Minute
		h := spoetest.NewAgent(t, &spoe.Agent{Handler: byName{"slow": sleeper(5 * time.Second)}, MaxConnectionAge: age})
		start := time.Now()
		time.Sleep(age - 7*time.Second)
		for time.Since(start) < age+8*time.Second {
			id, err := h.Notify(t.Context(), spoetest.Msg("slow"))
			if err != nil {
				break
			}
			if _, err := h.Ack(t.Context(), id); err != nil {
				break
			}
			time.Sleep(time.Second)
		}
		took := time.Since(start)
		assert.Greater(t, took, age*9/10)
		assert.Less(t, took, age*11/10+7*time.Second)
		s := h.Agent().Stats()
		assert.Equal(t, s.Notifies, s.Acks, "nothing was lost")
		assert.EqualValues(t, 1, s.DisconnectsSent[0])
	})
}

// A connection that is not quiet for a while stays open beyond its age: HAProxy 3.1 and
// later for 250 ms, up to 3.0 for a second, in which nothing is in flight and no frame comes.
func TestMaxConnectionAgeAwaitsAQuietMoment(t *testing.T) {
	for name, tt := range map[string]struct {
		hello spoetest.Hello
		quiet time.Duration
	}{"up to 3.0": {appletHello(), time.Second}, "3.1 and later": {spoetest.DefaultHello(), 250 * time.Millisecond}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const age = 10 * time.Second
				h := spoetest.NewAgent(t, &spoe.Agent{Handler: nothing, MaxConnectionAge: age})
				h.Close() // its own connection
				c := h.Dial(tt.hello)
				for start := time.Now(); time.Since(start) < 2*age; time.Sleep(tt.quiet - 10*time.Millisecond) {
					_, err := c.Ask(t.Context(), "m")
					require.NoError(t, err)
				}
				_, err := c.Ask(t.Context(), "m")
				require.NoError(t, err)
				last := time.Now()
				d, err := c.ReadDisconnect(t.Context())
				require.NoError(t, err)
				assert.Equal(t, codec.StatusNormal, d.Status)
				assert.GreaterOrEqual(t, time.Since(last), tt.quiet)
				assert.Less(t, time.Since(last), tt.quiet+50*time.Millisecond)
			})
		})
	}
}

// Workers that are not needed are let go.
func TestIdleWorkersEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := spoetest.New(t, byName{"slow": sleeper(time.Second)})
		for range 100 {
			_, err := h.Notify(t.Context(), spoetest.Msg("slow"))
			require.NoError(t, err)
		}
		for range 100 {
			_, err := h.AnyAck(t.Context())
			require.NoError(t, err)
		}
		synctest.Wait()
		assert.GreaterOrEqual(t, h.Agent().IdleWorkers(), 100)
		time.Sleep(time.Minute)
		assert.Zero(t, h.Agent().IdleWorkers())
		h.Ask("m")
	})
}

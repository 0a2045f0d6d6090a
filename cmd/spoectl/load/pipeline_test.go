//go:build linux

package load_test

import (
	"context"
	"net"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/cmd/spoectl/load"
	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
)

func serve(t *testing.T, addr string, h spoe.Handler) net.Addr {
	t.Helper()
	ln, err := spoe.Listen(addr)
	require.NoError(t, err)
	a := &spoe.Agent{Handler: h}
	ended := make(chan error, 1)
	go func() { ended <- a.Serve(ln) }() // ends with Close
	t.Cleanup(func() {
		a.Close()
		<-ended
	})
	return ln.Addr()
}

func echo(d time.Duration) spoe.Handler {
	return spoe.HandlerFunc(func(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
		time.Sleep(d)
		v, _ := msg.Args.Lookup("n")
		return acts.SetValue(codec.ScopeTransaction, "n", v)
	})
}

func numbers(n int) []load.Message {
	var all []load.Message
	for i := range n {
		all = append(all, load.Message{
			Notify: codec.AppendArg(codec.AppendMessage(nil, "echo", 1), "n", codec.Int64(int64(i))),
			Ack:    codec.AppendSetVar(nil, codec.ScopeTransaction, "n", codec.Int64(int64(i))),
			Check:  true,
		})
	}
	return all
}

func TestPipeline(t *testing.T) {
	tcp := serve(t, "127.0.0.1:0", echo(0))
	unix := serve(t, "unix:"+filepath.Join(t.TempDir(), "s"), echo(0))
	for _, tt := range []struct {
		name string
		c    load.Config
	}{
		{"as fast as it goes", load.Config{Network: "tcp", Addr: tcp.String(), Count: 1000}},
		{"unix socket", load.Config{Network: "unix", Addr: unix.String(), Count: 1000}},
		{"at a rate", load.Config{Network: "tcp", Addr: tcp.String(), Count: 200, Rate: 2000}},
		{"not a socket", load.Config{Count: 1000, Dial: func(ctx context.Context) (net.Conn, error) {
			c, err := new(net.Dialer).DialContext(ctx, "tcp", tcp.String())
			return struct{ net.Conn }{c}, err
		}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.c.Messages, tt.c.Conns, tt.c.InFlight, tt.c.Window = numbers(3), 2, 4, time.Minute
			r, err := load.Pipeline(t.Context(), tt.c)
			require.NoError(t, err)
			require.NoError(t, r.Disconnect)
			assert.Equal(t, tt.c.Count, r.Acks)
			assert.Equal(t, tt.c.Count, r.All)
			assert.Equal(t, tt.c.Count, r.Latency.Count())
			assert.Zero(t, r.Unsent)
			if tt.c.Rate > 0 {
				assert.Greater(t, r.Wall, 95*time.Millisecond)
			}
		})
	}
}

// The agent does 1 in 20 ms; 500 a second are due. NOTIFYs that wait count from the time
// when they were due.
func TestLatencyCountsFromWhenItWasDue(t *testing.T) {
	addr := serve(t, "127.0.0.1:0", echo(20*time.Millisecond))
	r, err := load.Pipeline(t.Context(), load.Config{
		Network: "tcp", Addr: addr.String(), Messages: numbers(1), Conns: 1, InFlight: 1,
		Rate: 500, Window: 300 * time.Millisecond,
	})
	require.NoError(t, err)
	assert.Greater(t, r.Latency.Max(), 100*time.Millisecond)
	assert.Less(t, r.Service.Quantile(0.5), r.Latency.Quantile(0.5))
	assert.Greater(t, r.Unsent, uint64(50))
}

func TestPipelineEndsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var handled atomic.Int64
	addr := serve(t, "127.0.0.1:0", spoe.HandlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
		if handled.Add(1) == 100 {
			cancel()
		}
		return echo(0).ServeSPOE(ctx, msg, acts)
	}))
	edges := 0
	r, err := load.Pipeline(ctx, load.Config{
		Network: "tcp", Addr: addr.String(), Messages: numbers(1), Conns: 1, InFlight: 2, Window: time.Minute,
		Edge: func() error { edges++; return nil },
	})
	require.NoError(t, err)
	require.NoError(t, r.Disconnect)
	assert.NotZero(t, r.Acks)
	assert.Equal(t, 2, edges)
}

func TestPipelineFails(t *testing.T) {
	addr := serve(t, "127.0.0.1:0", echo(0)).String()
	wrong := numbers(1)
	wrong[0].Ack = nil
	for _, tt := range []struct {
		name string
		c    load.Config
		want string
	}{
		{"wrong ACK", load.Config{Messages: wrong, Conns: 1, InFlight: 1}, "expected []"},
		{"no connection", load.Config{Messages: wrong}, "at least 1"},
		{"no message", load.Config{Conns: 1, InFlight: 1}, "no message"},
		{"malformed", load.Config{Messages: []load.Message{{Notify: []byte{9}}}, Conns: 1, InFlight: 1}, "message 1"},
		{"too big", load.Config{Messages: []load.Message{{Notify: codec.AppendArg(codec.AppendMessage(nil, "m", 1), "a", codec.Binary(make([]byte, 1000)))}}, Conns: 1, InFlight: 1, MaxFrameSize: 512}, "over the frame size of 512"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.c.Network, tt.c.Addr, tt.c.Window, tt.c.Count = "tcp", addr, time.Second, 10
			_, err := load.Pipeline(t.Context(), tt.c)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestIdle(t *testing.T) {
	addr := serve(t, "127.0.0.1:0", echo(0))
	var phases []string
	err := load.Idle(t.Context(), load.Config{
		Network: "tcp", Addr: addr.String(), Messages: numbers(1), Conns: 5, InFlight: 3,
	}, func(p string) error { phases = append(phases, p); return nil })
	require.NoError(t, err)
	require.Equal(t, []string{"open", "used", "closed"}, phases)
}

func TestSlow(t *testing.T) {
	addr := serve(t, "127.0.0.1:0", echo(0))
	crowd, err := load.Slow(t.Context(), load.Config{
		Network: "tcp", Addr: addr.String(), Messages: numbers(1), Conns: 20, InFlight: 2, Window: 1200 * time.Millisecond,
	}, 4000, func() error { return nil })
	require.NoError(t, err)
	require.NotZero(t, crowd.Acks)
	require.NotZero(t, crowd.Sent)
}

func TestProgress(t *testing.T) {
	addr := serve(t, "127.0.0.1:0", echo(0))
	var got []load.Progress
	r, err := load.Pipeline(t.Context(), load.Config{
		Network: "tcp", Addr: addr.String(), Messages: numbers(1), Conns: 1, InFlight: 1,
		Rate: 200, Window: 1200 * time.Millisecond,
		Progress: func(p load.Progress) { got = append(got, p) },
	})
	require.NoError(t, err)
	require.NotEmpty(t, got)
	assert.NotZero(t, got[0].Acks)
	assert.LessOrEqual(t, got[0].Acks, r.All)
	assert.Equal(t, got[0].Acks, got[0].Latency.Count())
	assert.Positive(t, got[0].Rate)
}

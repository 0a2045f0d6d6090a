package spoe_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/internal/lockedbuffer"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// The agent stops reading a connection whose ACKs are not read, and goes on once they
// are.
func TestUnsentAcksAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const all, size = 2000, 4 << 10
		var handled atomic.Int64
		value := strings.Repeat("x", size)
		h := spoetest.NewAgent(t, &spoe.Agent{
			MaxInFlight: 16, MaxBuffered: 1 << 30, WriteTimeout: time.Hour, NotifyTimeout: time.Hour, Logger: slog.New(slog.DiscardHandler),
			Handler: spoe.HandlerFunc(func(_ context.Context, _ *spoe.Message, acts *spoe.Actions) error {
				handled.Add(1)
				return acts.SetString(spoe.VarScopeTransaction, "a", value)
			}),
		})
		go func() { // ends when the agent has read all
			for range all {
				_, _ = h.Notify(context.Background(), spoetest.Msg("m"))
			}
		}()
		synctest.Wait()
		assert.Less(t, handled.Load(), int64(4*(256<<10)/size), "256 KiB wait, as many are being written, and some are on their way")
		for range all {
			_, err := h.AnyAck(t.Context())
			require.NoError(t, err)
		}
		assert.EqualValues(t, all, handled.Load())
	})
}

// Names of messages cost memory only up to a bound.
func TestNamesAreBounded(t *testing.T) {
	h := spoetest.NewAgent(t, &spoe.Agent{Handler: nothing})
	h.Ask(strings.Repeat("x", 128))
	assert.Equal(t, 1, h.Agent().KnownNames())
	h.Ask(strings.Repeat("x", 129))
	assert.Equal(t, 1, h.Agent().KnownNames(), "a long name is not kept")
	for i := range 600 {
		h.Ask(fmt.Sprint("m", i))
	}
	assert.Equal(t, 512, h.Agent().KnownNames())
}

// Log lines are bounded in each second; the next one says how many were left out.
func TestLogLinesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := new(lockedbuffer.Buffer)
		h := spoetest.NewAgent(t, &spoe.Agent{Logger: slog.New(slog.NewTextHandler(log, nil)), Handler: byName{
			"fail": func(context.Context, *spoe.Message, *spoe.Actions) error { return errors.New("failing") },
		}})
		lines := func(text string) int {
			synctest.Wait()
			return strings.Count(log.String(), text)
		}
		for range 250 {
			h.Ask("fail")
		}
		for range 25 {
			c := h.Dial(spoetest.DefaultHello())
			_, err := c.Conn().Write([]byte{0xff, 0xff, 0xff, 0xff})
			require.NoError(t, err)
			_, err = c.ReadDisconnect(t.Context())
			require.NoError(t, err)
		}
		assert.Equal(t, 100, lines("message failed"))
		assert.Equal(t, 10, lines("malformed data"))
		time.Sleep(time.Second)
		h.Ask("fail")
		assert.Equal(t, 101, lines("message failed"))
		assert.Equal(t, 1, lines("not_logged_before=150"))
	})
}

// Peers that check the agent's health are remembered up to a bound.
func TestCheckingPeersAreBounded(t *testing.T) {
	a := spoetest.NewAgent(t, &spoe.Agent{Handler: nothing}).Agent()
	most := 0
	for i := range 3000 {
		most = max(most, a.NoteCheck(&net.TCPAddr{IP: net.IPv4(10, 0, byte(i>>8), byte(i))}))
	}
	assert.Equal(t, 1024, most)
}

// The fragments of a connection may be MaxPayload bytes together; a payload that goes
// beyond it is acknowledged by ABORT.
func TestMaxPayload(t *testing.T) {
	payload, err := spoetest.Payload(spoetest.Msg("m", spoetest.Arg("a", make([]byte, 1000))))
	require.NoError(t, err)
	for _, tt := range []struct {
		max   int
		abort bool
	}{{len(payload), false}, {len(payload) - 1, true}} {
		h := spoetest.NewAgent(t, &spoe.Agent{Handler: nothing, MaxPayload: tt.max, Logger: slog.New(slog.DiscardHandler)})
		c := h.Dial(appletHello())
		for stream := range uint64(3) { // one after the other, each has all of it
			id := spoetest.ID{Stream: stream + 1, Frame: 1}
			require.NoError(t, c.WriteFrames(t.Context(), spoetest.Fragments(id, payload, 300)...))
			ack, err := c.Ack(t.Context(), id)
			require.NoError(t, err)
			assert.Equal(t, tt.abort, ack.Flags&codec.FlagABORT != 0, "%d of %d bytes", len(payload), tt.max)
		}
	}
	h := spoetest.NewAgent(t, &spoe.Agent{Handler: nothing, MaxPayload: 3 * len(payload) / 2, Logger: slog.New(slog.DiscardHandler)})
	c := h.Dial(appletHello())
	first, second := spoetest.ID{Stream: 1, Frame: 1}, spoetest.ID{Stream: 2, Frame: 1}
	parts := spoetest.Fragments(first, payload, 300)
	require.NoError(t, c.WriteFrames(t.Context(), parts[:len(parts)-1]...))
	require.NoError(t, c.WriteFrames(t.Context(), spoetest.Fragments(second, payload, 300)...))
	ack, err := c.Ack(t.Context(), second)
	require.NoError(t, err)
	assert.True(t, ack.Flags&codec.FlagABORT != 0, "both together are too long")
	require.NoError(t, c.WriteFrames(t.Context(), parts[len(parts)-1]))
	ack, err = c.Ack(t.Context(), first)
	require.NoError(t, err)
	assert.False(t, ack.Flags&codec.FlagABORT != 0)
}

// A payload in fragments that is longer than MaxBuffered does not wait for its own bytes.
func TestPayloadLongerThanMaxBuffered(t *testing.T) {
	h := spoetest.NewAgent(t, &spoe.Agent{Handler: nothing, MaxBuffered: 1 << 20, MaxPayload: 2 << 20, Logger: slog.New(slog.DiscardHandler)})
	c := h.Dial(appletHello())
	payload, err := spoetest.Payload(spoetest.Msg("m", spoetest.Arg("a", make([]byte, 3<<19))))
	require.NoError(t, err)
	id := spoetest.ID{Stream: 1, Frame: 1}
	require.NoError(t, c.WriteFrames(t.Context(), spoetest.Fragments(id, payload, 16000)...))
	ack, err := c.Ack(t.Context(), id)
	require.NoError(t, err)
	assert.False(t, ack.Flags&codec.FlagABORT != 0)
	assert.Eventually(t, func() bool { return h.Agent().Taken() == 0 }, eventually, tick)
}

// A connection may have 20 payloads that are not whole.
func TestFragmentedPayloadsAreBounded(t *testing.T) {
	h := spoetest.NewAgent(t, &spoe.Agent{Handler: nothing, Logger: slog.New(slog.DiscardHandler)})
	c := h.Dial(appletHello())
	begin := func(stream uint64) {
		f := codec.Frame{Type: codec.FrameNotify, StreamID: stream, FrameID: 1, Payload: []byte{1}}
		require.NoError(t, c.WriteFrames(t.Context(), f))
	}
	for stream := range uint64(20) {
		begin(100 + stream)
	}
	_, err := c.Ask(t.Context(), "m")
	require.NoError(t, err, "20 are fine, and others come between")
	begin(120)
	d, err := c.ReadDisconnect(t.Context())
	require.NoError(t, err)
	assert.Equal(t, codec.StatusInterlaced, d.Status)
}

// Large buffers do not stay in pools.
func TestPoolsKeepNoLargeBuffers(t *testing.T) {
	const each, size = 32, 900_000
	gate := make(chan struct{})
	x := newAttacker(t, spoe.HandlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
		<-gate
		v, _ := msg.Args.Lookup("a")
		return acts.SetVar(spoe.VarScopeTransaction, "a", v)
	}))
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // a collection would empty the pools
	before := liveHeap()
	start, filler := argument(t, size), make([]byte, size)
	for range 2 {
		nc := x.dial()
		x.write(nc, func(i int) [][]byte {
			if i == each {
				return nil
			}
			return frameOf(codec.FrameNotify, codec.FlagFIN, uint64(i), start, filler)
		})
		x.wg.Go(func() {
			for b := make([]byte, 64<<10); ; {
				if _, err := nc.Read(b); err != nil {
					return
				}
			}
		})
	}
	inFlight := func() int { _, n := x.buffered(); return n }
	require.Eventually(t, func() bool { return inFlight() == len(x.conns)*each }, 10*eventually, tick)
	close(gate)
	require.Eventually(t, func() bool { held, n := x.buffered(); return held+n == 0 }, 10*eventually, tick)
	runtime.GC() // once: the pools keep their content until the next
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	kept := int(m.HeapAlloc) - before
	t.Logf("%d KiB", kept>>10)
	assert.Less(t, kept, 8<<20)
}

// held returns what the agent holds by its own account.
func held(a *spoe.Agent) (n int) {
	for _, info := range a.Connections() {
		n += info.Buffered
	}
	return n
}

// Payloads that come many in one read wait for MaxBuffered as large ones do.
func TestSmallPayloadsWaitForTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most, conns, each = 1 << 20, 4, 100
		gate := make(chan struct{})
		h := spoetest.NewAgent(t, &spoe.Agent{MaxBuffered: most, NotifyTimeout: time.Hour, Handler: byName{"m": hanging(gate)}})
		var clients []*spoetest.Client
		for range conns {
			c := h.Dial(spoetest.DefaultHello())
			clients = append(clients, c)
			go func() { // ends when the agent has read all
				for range each {
					_, _ = c.Notify(context.Background(), spoetest.Msg("m", spoetest.Arg("a", make([]byte, 15_000))))
				}
			}()
		}
		synctest.Wait()
		n := held(h.Agent())
		assert.Greater(t, n, most/2)
		assert.LessOrEqual(t, n, most)
		close(gate)
		for _, c := range clients {
			for range each {
				_, err := c.AnyAck(t.Context())
				require.NoError(t, err)
			}
		}
		synctest.Wait()
		assert.Zero(t, held(h.Agent()))
	})
}

// ABORTs that are not read count as ACKs do.
func TestUnreadAbortsCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := spoetest.NewAgent(t, &spoe.Agent{MaxPayload: 1, WriteTimeout: time.Hour, Logger: slog.New(slog.DiscardHandler), Handler: byName{
			"large": func(_ context.Context, _ *spoe.Message, acts *spoe.Actions) error {
				return acts.SetString(spoe.VarScopeTransaction, "a", strings.Repeat("x", 100<<10))
			},
		}})
		hello := appletHello()
		hello.MaxFrameSize = 1 << 20
		c := h.Dial(hello)
		_, err := c.Notify(t.Context(), spoetest.Msg("large")) // whose worker then writes and waits
		require.NoError(t, err)
		synctest.Wait()
		go func() { // ends when the agent has read all
			for i := range uint64(20_000) {
				_ = c.WriteFrames(context.Background(),
					codec.Frame{Type: codec.FrameNotify, StreamID: i, FrameID: 1, Payload: []byte{1, 'm', 0}},
					codec.Frame{Type: codec.FrameUnset, Flags: codec.FlagFIN, StreamID: i, FrameID: 1})
			}
		}()
		synctest.Wait()
		assert.Greater(t, held(h.Agent()), 200<<10)
		for range 20_001 {
			_, err := c.AnyAck(t.Context())
			require.NoError(t, err)
		}
		synctest.Wait()
		assert.Zero(t, held(h.Agent()))
	})
}

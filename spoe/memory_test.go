package spoe_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// The bounds that docs/deployment.md names, for an agent with defaults.
const (
	mostBuffered  = 256 << 20 // and a quarter, for buffers that grow
	mostReading   = 64 << 10  // a connection
	mostInFlight  = 12 << 10  // a NOTIFY that a handler has
	notOfTheAgent = 32 << 20  // of this test, and of the runtime
)

// attacker opens connections to an agent with default bounds and writes to them without
// ever reading. The agent's timeouts do not end them: on a busy machine the bounds may be
// reached late.
type attacker struct {
	t     *testing.T
	agent *spoe.Agent
	addr  string
	conns []net.Conn
	wg    sync.WaitGroup
}

func newAttacker(t *testing.T, h spoe.Handler) *attacker {
	ln, err := spoe.Listen("127.0.0.1:0")
	require.NoError(t, err)
	x := &attacker{t: t, addr: ln.Addr().String(), agent: &spoe.Agent{
		Handler: h, Logger: slog.New(slog.DiscardHandler),
		ReadTimeout: time.Hour, WriteTimeout: time.Hour, NotifyTimeout: time.Hour,
	}}
	ended := make(chan error, 1)
	go func() { ended <- x.agent.Serve(ln) }()
	t.Cleanup(func() {
		x.agent.Close()
		<-ended
		for _, nc := range x.conns {
			nc.Close()
		}
		x.wg.Wait()
	})
	return x
}

func (x *attacker) dial() net.Conn {
	hello := appletHello()
	hello.MaxFrameSize = 1 << 20
	c, err := (&spoetest.Dialer{}).Connect(x.t.Context(), "tcp", x.addr)
	require.NoError(x.t, err)
	_, err = c.Handshake(x.t.Context(), hello)
	require.NoError(x.t, err)
	x.conns = append(x.conns, c.Conn())
	return c.Conn()
}

// write writes the frames to nc that next returns, one after the other, until it
// returns none or the connection ends.
func (x *attacker) write(nc net.Conn, next func(i int) [][]byte) {
	x.wg.Go(func() {
		for i := 0; ; i++ {
			frames := net.Buffers(next(i))
			if len(frames) == 0 {
				return
			}
			if _, err := frames.WriteTo(nc); err != nil {
				return
			}
		}
	})
}

// buffered returns what the agent holds of HAProxies' bytes by its own account.
func (x *attacker) buffered() (bytes, inFlight int) {
	for _, info := range x.agent.Connections() {
		bytes += info.Buffered
		inFlight += info.InFlight
	}
	return bytes, inFlight
}

// most waits until the agent holds least bytes, and then until it takes no more. It
// returns the most that it held.
func (x *attacker) most(least int) (most int) {
	held := func() int { n, _ := x.buffered(); return n }
	require.Eventually(x.t, func() bool { return held() >= least }, 10*eventually, 10*tick, "the agent does not take %d MiB", least>>20)
	for steady := 0; steady < 5; steady++ {
		if n := held(); n > most {
			most, steady = n, 0
		}
		time.Sleep(50 * time.Millisecond)
	}
	return most
}

// frameOf returns a frame's beginning; the rest of its payload is filler.
func frameOf(kind codec.FrameType, flags codec.Flags, id uint64, start, filler []byte) [][]byte {
	whole := codec.AppendFrame(nil, codec.Frame{Type: kind, Flags: flags, StreamID: id, FrameID: 1, Payload: append(bytes.Clone(start), filler...)})
	return [][]byte{whole[:len(whole)-len(filler)], filler}
}

// argument is a payload with one argument of n bytes, without these bytes.
func argument(t *testing.T, n int) []byte {
	payload, err := spoetest.Payload(spoetest.Msg("m", spoetest.Arg("a", make([]byte, n))))
	require.NoError(t, err)
	return payload[:len(payload)-n]
}

func liveHeap() int {
	for range 3 { // pools take two to empty
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// TestMostMemory tries to have an agent with defaults hold more than docs/deployment.md
// says.
func TestMostMemory(t *testing.T) {
	filler := make([]byte, 1_000_000)
	blocked := func(ctx context.Context, _ *spoe.Message, _ *spoe.Actions) error {
		<-ctx.Done()
		return nil
	}
	large := func(t *testing.T) func(int) [][]byte {
		start := argument(t, len(filler))
		return func(i int) [][]byte { return frameOf(codec.FrameNotify, codec.FlagFIN, uint64(i), start, filler) }
	}
	for _, tt := range []struct {
		name    string
		handler handlerFunc
		attack  func(*testing.T, *attacker)
		least   int // bytes that the attack brings the agent to hold
	}{
		{"payloads of handlers that wait", blocked, func(t *testing.T, x *attacker) {
			for range 4 {
				x.write(x.dial(), large(t))
			}
		}, mostBuffered * 3 / 4},
		{"unfinished payloads", blocked, func(_ *testing.T, x *attacker) {
			part := filler[:65_000]
			for range 100 {
				x.write(x.dial(), func(i int) [][]byte {
					switch {
					case i == 0:
						return frameOf(codec.FrameNotify, 0, 1, nil, part)
					case (i+1)*len(part) < 4<<20:
						return frameOf(codec.FrameUnset, 0, 1, nil, part)
					}
					return nil
				})
			}
		}, mostBuffered * 3 / 4},
		{"answers that nobody reads", func(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
			v, _ := msg.Args.Lookup("a")
			return acts.SetVar(spoe.VarScopeTransaction, "a", v)
		}, func(t *testing.T, x *attacker) {
			for range 12 {
				x.write(x.dial(), large(t))
			}
		}, 12 << 20},
		{"a byte of a frame behind a large one", nothing, func(t *testing.T, x *attacker) {
			next := large(t)
			for range 60 {
				x.write(x.dial(), func(i int) [][]byte {
					if i == 0 {
						return append(next(i), []byte{0})
					}
					return nil
				})
			}
		}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := liveHeap()
			x := newAttacker(t, spoe.HandlerFunc(tt.handler))
			tt.attack(t, x)
			most := x.most(tt.least)
			held, inFlight := x.buffered()
			heap := liveHeap() - before
			after, _ := x.buffered()
			allowed := max(held, after)*5/4 + len(x.conns)*mostReading + inFlight*mostInFlight + notOfTheAgent
			t.Logf("%d MiB held, %d MiB of heap, %d MiB allowed", most>>20, heap>>20, allowed>>20)
			assert.LessOrEqual(t, most, mostBuffered+mostBuffered/8)
			assert.LessOrEqual(t, heap, allowed)
		})
	}
}

// Small NOTIFYs do not keep the memory of large ones before them.
func TestSmallPayloadsKeepNoLargeOnes(t *testing.T) {
	first := make(chan struct{})
	x := newAttacker(t, spoe.HandlerFunc(func(ctx context.Context, msg *spoe.Message, _ *spoe.Actions) error {
		gate := first
		if v, _ := msg.Args.Lookup("a"); len(v.Bytes()) < 60_000 {
			gate = nil
		}
		select {
		case <-gate:
		case <-ctx.Done():
		}
		return nil
	}))
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // which empties pools
	const each = 256
	before := liveHeap()
	sizes := []int{60_000, 10}
	for range 4 {
		nc := x.dial()
		go func() {
			buf := make([]byte, 4096)
			for {
				if _, err := nc.Read(buf); err != nil {
					return
				}
			}
		}()
	}
	for round, size := range sizes {
		start, filler := argument(t, size), make([]byte, size)
		for _, nc := range x.conns {
			x.write(nc, func(i int) [][]byte {
				if i == each {
					return nil
				}
				return frameOf(codec.FrameNotify, codec.FlagFIN, uint64(round*each+i), start, filler)
			})
		}
		inFlight := func() int { _, n := x.buffered(); return n }
		require.Eventually(t, func() bool { return inFlight() == len(x.conns)*each }, 10*eventually, tick)
		if round == 0 {
			close(first)
			require.Eventually(t, func() bool { return inFlight() == 0 }, 10*eventually, tick)
		}
	}
	got := liveHeap() - before
	t.Logf("%d MiB", got>>20)
	assert.Less(t, got, 24<<20)
}

// The time in which the agent does not read, because others have taken all of
// MaxBuffered, is no time that HAProxy takes for a frame.
func TestWaitingForTheBudgetIsNoSlowFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := spoetest.NewAgent(t, &spoe.Agent{MaxBuffered: 1 << 20, Handler: byName{"long": sleeper(25 * time.Second)}})
		hello := spoetest.DefaultHello()
		hello.MaxFrameSize = 1 << 20
		c := h.Dial(hello)
		payload, err := spoetest.Payload(spoetest.Msg("m", spoetest.Arg("a", make([]byte, 100<<10))))
		require.NoError(t, err)
		frame := codec.AppendFrame(nil, spoetest.NotifyFrame(spoetest.ID{Stream: 1, Frame: 1}, payload))
		_, err = c.Conn().Write(frame[:3])
		require.NoError(t, err)
		synctest.Wait()

		_, err = h.Dial(hello).Notify(t.Context(), spoetest.Msg("long", spoetest.Arg("a", make([]byte, 900<<10))))
		require.NoError(t, err)
		synctest.Wait()
		go c.Conn().Write(frame[3:]) // ends when the agent reads, or with the connection
		answer := make([]byte, 256)
		n, err := io.ReadAtLeast(c.Conn(), answer, codec.LengthSize+codec.MinFrameLength)
		require.NoError(t, err)
		f, err := codec.ParseFrame(answer[codec.LengthSize:n])
		require.NoError(t, err)
		assert.Equal(t, codec.FrameAck, f.Type)
	})
}

// Bytes that end in no NOTIFY yet take nothing from MaxBuffered once they are read:
// idle connections would leave nothing for others.
func TestPartialFramesTakeNoBudget(t *testing.T) {
	h := spoetest.NewAgent(t, &spoe.Agent{MaxBuffered: 1 << 20, Handler: nothing})
	for range 40 { // of 32 KiB each there would be 32
		_, err := h.Dial(spoetest.DefaultHello()).Conn().Write([]byte{0, 0})
		require.NoError(t, err)
	}
	h.Ask("m")
}

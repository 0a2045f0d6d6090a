package spoe

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/internal/safetext"
)

// A hello has FIN and no ids.
func TestCheckHello(t *testing.T) {
	good := codec.Frame{Type: codec.FrameHAProxyHello, Flags: codec.FlagFIN}
	assert.NoError(t, checkHello(good))
	for want, change := range map[string]func(*codec.Frame){
		"where a HAPROXY-HELLO was due": func(f *codec.Frame) { f.Type = codec.FrameNotify },
		"without FIN":                   func(f *codec.Frame) { f.Flags = 0 },
		"stream-id 1 and frame-id 0":    func(f *codec.Frame) { f.StreamID = 1 },
		"stream-id 0 and frame-id 1":    func(f *codec.Frame) { f.FrameID = 1 },
	} {
		f := good
		change(&f)
		err := checkHello(f)
		var bad *codec.Error
		require.ErrorAs(t, err, &bad)
		assert.Equal(t, codec.StatusInvalid, bad.Status)
		assert.ErrorContains(t, err, want)
	}
}

// The lower frame size counts. The text that HAProxy chooses is bounded.
func TestAgree(t *testing.T) {
	for offered, want := range map[uint32]int{256: 256, 999: 999, 1000: 1000, 1001: 1000, 1<<32 - 1: 1000} {
		c, _ := insideConn(t, &Agent{MaxFrameSize: 1000})
		peer := c.haproxy.Load().peer
		c.agree(codec.HAProxyHello{MaxFrameSize: offered, EngineID: strings.Repeat("x", 2000), Capabilities: "async"})
		h := c.haproxy.Load()
		assert.Equal(t, want, c.maxFrameSize)
		assert.Equal(t, want, h.maxFrameSize)
		assert.Equal(t, peer, h.peer)
		assert.True(t, h.applet)
		assert.Equal(t, safetext.Clip(strings.Repeat("x", 2000), 1024), h.engineID)
	}
}

// helloBytes is a HAPROXY-HELLO that offers frames of 1000 bytes.
func helloBytes(healthcheck bool) []byte {
	h := codec.HAProxyHello{SupportedVersions: "2.0", MaxFrameSize: 1000, Capabilities: "pipelining", EngineID: "e", Healthcheck: healthcheck}
	return codec.AppendFrame(nil, codec.Frame{Type: codec.FrameHAProxyHello, Flags: codec.FlagFIN, Payload: h.Append(nil)})
}

// The hello opens the connection: its times begin, and the answer leaves in one write.
func TestHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nc := &recorded{}
		c := insideConnOn(t, &Agent{IdleTimeout: time.Minute, MaxConnectionAge: time.Hour}, &closer{nc})
		c.current.Store(int32(greeting))
		log := logged(c)
		time.Sleep(time.Second)
		b := helloBytes(false)
		c.r.buf, c.r.to = &buffer{b}, len(b)
		c.clock.frameSince.Store(5)
		require.NoError(t, c.handshake())
		assert.Equal(t, open, c.phase())
		assert.True(t, c.slot)
		assert.EqualValues(t, never, c.clock.frameSince.Load())
		assert.Equal(t, now(), c.clock.lastFrame.Load())
		assert.Equal(t, now()+int64(c.shared.write), c.clock.due.Load(), "the write's time is the first")
		assert.NotEqualValues(t, never, c.plan.at)
		require.Len(t, nc.writes, 1)
		f := framesOf(t, nc.writes[0])[0]
		hello, err := codec.ParseAgentHello(f.Payload)
		require.NoError(t, err)
		assert.Equal(t, codec.FlagFIN, f.Flags)
		assert.Equal(t, codec.AgentHello{Version: "2.0", MaxFrameSize: 1000, Capabilities: "pipelining,fragmentation"}, hello)
		assert.Contains(t, log(), `msg="spoe: connected" max_frame_size=1000 capabilities=pipelining`)
		c.clock.stop()
	})
}

// A hello that comes when the connection has ended opens nothing.
func TestHandshakeTooLate(t *testing.T) {
	nc := &recorded{}
	c := insideConnOn(t, &Agent{}, &closer{nc})
	c.slot = true
	c.mu.Lock()
	c.setPhaseLocked(closing)
	c.mu.Unlock()
	b := helloBytes(false)
	c.r.buf, c.r.to = &buffer{b}, len(b)
	assert.Equal(t, errLast, c.handshake())
	assert.Empty(t, nc.writes)
}

// A health check is answered by a hello as the last frame, or fails without one.
func TestAnswerCheck(t *testing.T) {
	for _, draining := range []bool{false, true} {
		nc := &recorded{}
		a := &Agent{}
		c := insideConnOn(t, a, &closer{nc})
		log := logged(c)
		if draining {
			close(a.shared.draining)
			close(a.shared.settled)
		}
		b := helloBytes(true)
		c.r.buf, c.r.to = &buffer{b}, len(b)
		err := c.handshake()
		s := a.Stats()
		if draining {
			assert.Equal(t, errClosed, err)
			assert.Empty(t, nc.writes)
			assert.EqualValues(t, 1, s.HealthChecksFailed)
			assert.Zero(t, s.HealthChecks)
			assert.Contains(t, log(), "level=DEBUG msg=\"spoe: health check failed: shutting down\"")
			continue
		}
		assert.Equal(t, errLast, err)
		assert.Len(t, nc.writes, 1)
		assert.Equal(t, closing, c.phase())
		assert.EqualValues(t, 1, s.HealthChecks)
		assert.Zero(t, s.HealthChecksFailed)
		assert.Contains(t, log(), "level=DEBUG msg=\"spoe: health check\"")
	}
}

// A hello may be 16 KiB long. The error names the protocol of other first bytes.
func TestReadHello(t *testing.T) {
	read := func(b []byte) error {
		c, peer := insideConn(t, &Agent{})
		peer.Close()
		c.r.buf, c.r.to = &buffer{append(b, 0)}, len(b)
		_, err := c.readHello()
		return err
	}
	assert.ErrorContains(t, read(announced(16<<10, 10)), "EOF", "more is awaited")
	assert.ErrorContains(t, read(announced(16<<10+1, 10)), "the first frame announces 16385 bytes; a HAPROXY-HELLO has at most 16384")
	assert.ErrorContains(t, read([]byte("GET / HTTP/1.1")), "an HTTP request")
	assert.ErrorContains(t, read(announced(3, 3)), "frame of 3 bytes, the shortest has 7")
	assert.NoError(t, read(helloBytes(false)))
}

// The text of a log line is bounded and safe; a stack keeps its lines.
func TestSafeAttr(t *testing.T) {
	text := func(v any) string { return safeAttr(slog.Any("a", v)).Value.String() }
	long := strings.Repeat("x", 2000)
	assert.Equal(t, safetext.Clip(long, 1024), text(long))
	assert.Equal(t, safetext.Error(noTextError{}, 1024), text(noTextError{}))
	assert.Equal(t, safetext.Stack([]byte("a\nb")), text(stack("a\nb")))
	assert.Equal(t, "5", text(uint64(5)))
	assert.Equal(t, slog.KindInt64, safeAttr(slog.Int("a", 5)).Value.Kind())
	assert.Equal(t, slog.KindDuration, safeAttr(slog.Duration("a", 5)).Value.Kind())
	assert.Equal(t, "{5}", text(struct{ A int }{5}))
	assert.Equal(t, safetext.Clip("["+long+"]", 1024), text([]string{long}))
}

type noTextError struct{}

func (noTextError) Error() string { return strings.Repeat("y", 2000) }

// A connection's lines name HAProxy.
func TestConnLog(t *testing.T) {
	c, _ := insideConn(t, &Agent{})
	log := logged(c)
	c.log(slog.LevelInfo, "first")
	h := *c.haproxy.Load()
	h.engineID = "e"
	c.haproxy.Store(&h)
	c.log(slog.LevelInfo, "second", slog.Int("a", 1))
	assert.Contains(t, log(), "level=INFO msg=\"spoe: first\" peer=pipe\n")
	assert.Contains(t, log(), "level=INFO msg=\"spoe: second\" a=1 peer=pipe engine_id=e\n")
	for range 12 {
		c.complain("often")
	}
	assert.Equal(t, 10, strings.Count(log(), "often"))
	assert.NotContains(t, log(), "not_logged_before")
}

// A status that SPOP has no name for counts as unknown.
func TestStatusCounters(t *testing.T) {
	var s statusCounters
	for _, status := range []codec.Status{0, 13, 13, 14, 15, codec.StatusUnknown, 1 << 20} {
		s.add(status)
	}
	assert.Equal(t, map[codec.Status]uint64{0: 1, 13: 2, codec.StatusUnknown: 4}, s.snapshot())
}

// asked is a log that calls a function when it is asked whether it takes a line.
type asked func()

func (f asked) Enabled(context.Context, slog.Level) bool  { f(); return false }
func (f asked) Handle(context.Context, slog.Record) error { return nil }
func (f asked) WithAttrs([]slog.Attr) slog.Handler        { return f }
func (f asked) WithGroup(string) slog.Handler             { return f }

// The time without a frame begins with the hello, before the connection is open: the wait for
// a slot is no part of it.
func TestIdleTimeBeginsWithTheHello(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const idleTimeout = time.Second
		c := insideConnOn(t, &Agent{IdleTimeout: idleTimeout}, &closer{&recorded{}})
		c.current.Store(int32(greeting))
		time.Sleep(5 * time.Second)
		lines := 0
		c.agent.Logger = slog.New(asked(func() {
			lines++
			assert.Equal(t, open, c.phase())
			assert.Equal(t, now(), c.clock.lastFrame.Load())
			assert.Equal(t, now()+int64(idleTimeout), c.clock.due.Load())
		}))
		b := helloBytes(false)
		c.r.buf, c.r.to = &buffer{b}, len(b)
		require.NoError(t, c.handshake())
		assert.Equal(t, 1, lines)
		c.clock.stop()
	})
}

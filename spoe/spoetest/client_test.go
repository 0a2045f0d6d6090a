package spoetest_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// peer is an agent that does as the test says: it reads a frame and writes
// bytes.
type peer struct {
	t  *testing.T
	nc net.Conn
}

// scripted returns a Client and the peer on the other end of a TCP connection.
func scripted(t *testing.T, timeout time.Duration) (*spoetest.Client, *peer) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	d := spoetest.Dialer{Timeout: timeout}
	c, err := d.Connect(t.Context(), "tcp", ln.Addr().String())
	require.NoError(t, err)
	nc, err := ln.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { c.Close(); nc.Close() })
	return c, &peer{t, nc}
}

// inMemory is scripted in memory.
func inMemory(t *testing.T, timeout time.Duration) (*spoetest.Client, *peer) {
	t.Helper()
	ln := spoetest.NewListener()
	var conn *spoetest.Conn
	var wg sync.WaitGroup
	wg.Go(func() { conn, _ = ln.DialContext(t.Context()) }) // checked below
	nc, err := ln.Accept()
	require.NoError(t, err)
	wg.Wait()
	require.NotNil(t, conn)
	t.Cleanup(func() { conn.Close(); nc.Close() })
	return spoetest.NewClient(conn, timeout), &peer{t, nc}
}

func (p *peer) read() codec.Frame {
	p.t.Helper()
	head := make([]byte, codec.LengthSize)
	_, err := io.ReadFull(p.nc, head)
	require.NoError(p.t, err)
	n, _ := codec.FrameLength(head)
	b := make([]byte, n)
	_, err = io.ReadFull(p.nc, b)
	require.NoError(p.t, err)
	f, err := codec.ParseFrame(b)
	require.NoError(p.t, err)
	return f
}

func (p *peer) write(frames ...codec.Frame) {
	p.t.Helper()
	var b []byte
	for _, f := range frames {
		b = codec.AppendFrame(b, f)
	}
	_, err := p.nc.Write(b)
	require.NoError(p.t, err)
}

func agentHello(h codec.AgentHello) codec.Frame {
	return codec.Frame{Type: codec.FrameAgentHello, Flags: codec.FlagFIN, Payload: h.Append(nil)}
}

func agentDisconnect(status codec.Status, text string) codec.Frame {
	d := codec.Disconnect{Status: status, Message: text}
	return codec.Frame{Type: codec.FrameAgentDisconnect, Flags: codec.FlagFIN, Payload: d.Append(nil)}
}

func ack(stream, frame uint64, payload []byte) codec.Frame {
	return codec.Frame{Type: codec.FrameAck, Flags: codec.FlagFIN, StreamID: stream, FrameID: frame, Payload: payload}
}

func setVar(scope codec.Scope, name string, v codec.Value) []byte {
	return codec.AppendSetVar(nil, scope, name, v)
}

func TestHandshake(t *testing.T) {
	good := codec.AgentHello{Version: "2.0", MaxFrameSize: 16380, Capabilities: "fragmentation,pipelining"}
	change := func(f func(*codec.AgentHello)) codec.Frame {
		h := good
		f(&h)
		return agentHello(h)
	}
	header := func(f func(*codec.Frame)) codec.Frame {
		frame := agentHello(good)
		f(&frame)
		return frame
	}
	for _, tt := range []struct {
		name   string
		answer codec.Frame
		err    string // "" for none
	}{
		{"good", agentHello(good), ""},
		{"a lower size", change(func(h *codec.AgentHello) { h.MaxFrameSize = 256 }), ""},
		{"disconnect", agentDisconnect(8, "no"), "status 8"},
		{"another frame", ack(0, 0, nil), "want AGENT-HELLO"},
		{"version", change(func(h *codec.AgentHello) { h.Version = "3.0" }), `version "3.0"`},
		{"a higher size", change(func(h *codec.AgentHello) { h.MaxFrameSize = 16381 }), "max-frame-size 16381"},
		{"too small", change(func(h *codec.AgentHello) { h.MaxFrameSize = 255 }), "max-frame-size 255"},
		{"stream-id", header(func(f *codec.Frame) { f.StreamID = 1 }), "stream-id 1"},
		{"no FIN", header(func(f *codec.Frame) { f.Flags = 0 }), "flags 0x0"},
		{"empty", header(func(f *codec.Frame) { f.Payload = nil }), "without version"},
		{"garbage", header(func(f *codec.Frame) { f.Payload = []byte{200} }), "AGENT-HELLO"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, p := inMemory(t, 30*time.Second)
			p.write(tt.answer)
			got, err := c.Handshake(t.Context(), spoetest.DefaultHello())
			sent := p.read()
			assert.Equal(t, codec.FrameHAProxyHello, sent.Type)
			h, perr := codec.ParseHAProxyHello(sent.Payload)
			require.NoError(t, perr)
			assert.Equal(t, spoetest.DefaultHello(), h)
			if tt.err != "" {
				assert.ErrorContains(t, err, tt.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, got, c.AgentHello())
		})
	}
}

func TestHandshakeRefusalIsTyped(t *testing.T) {
	c, p := scripted(t, 30*time.Second)
	p.write(agentDisconnect(codec.StatusBadVersion, "speak 2.0"))
	_, err := c.Handshake(t.Context(), spoetest.DefaultHello())
	var refused *spoetest.DisconnectError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, codec.StatusBadVersion, refused.Status)
	assert.Equal(t, "speak 2.0", refused.Message)
}

func TestAsk(t *testing.T) {
	c, p := scripted(t, 30*time.Second)
	answer := setVar(codec.ScopeSession, "ip_score", codec.Int64(90))
	answer = append(answer, codec.AppendUnsetVar(nil, codec.ScopeTransaction, "list")...)
	p.write(ack(1, 1, answer))
	got, err := c.Ask(t.Context(), "ip-rep", spoetest.Arg("ip", netip.MustParseAddr("192.0.2.1")), spoetest.Arg("", true))
	require.NoError(t, err)
	assert.Equal(t, int64(90), got.Int("sess.ip_score"))
	assert.True(t, got.Unset("txn.list"))
	assert.False(t, got.Has("txn.list"))
	assert.False(t, got.Unset("sess.ip_score"))
	assert.Equal(t, map[string]any{"sess.ip_score": 90}, got.Map())
	assert.Equal(t, "sess.ip_score=90 unset(txn.list)", got.String())

	f := p.read()
	assert.Equal(t, codec.FrameNotify, f.Type)
	assert.Equal(t, codec.FlagFIN, f.Flags)
	msgs := codec.NewMessages(f.Payload)
	require.True(t, msgs.Next())
	assert.Equal(t, "ip-rep", string(msgs.Message().Name))
	ip, ok := msgs.Message().Args.Lookup("ip")
	assert.True(t, ok)
	assert.Equal(t, "192.0.2.1", ip.String())
	assert.Equal(t, 2, msgs.Message().Args.Len())
	assert.False(t, msgs.Next())
	require.NoError(t, msgs.Err())
}

func TestAskRefusesWhatHAProxyWould(t *testing.T) {
	noFIN := ack(1, 1, nil)
	noFIN.Flags = 0
	aborted := ack(1, 1, nil)
	aborted.Flags |= codec.FlagABORT
	for _, tt := range []struct {
		name string
		ack  codec.Frame
		err  string
	}{
		{"no FIN", noFIN, "want FIN"},
		{"ABORT", aborted, "want FIN"},
		{"malformed", ack(1, 1, []byte{1, 3, 2, 200}), "ACK 1/1"},
		{"bad name", ack(1, 1, setVar(codec.ScopeTransaction, "a-b", codec.Null())), "HAProxy drops action 0"},
		{"disconnect", agentDisconnect(codec.StatusInvalid, "x"), "status 4"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, p := scripted(t, 30*time.Second)
			go codecWrite(p.nc, tt.ack) // ends with the connection
			_, err := c.Ask(t.Context(), "m")
			assert.ErrorContains(t, err, tt.err)
		})
	}
}

func TestNextRefusesWhatIsTooBig(t *testing.T) {
	c, p := inMemory(t, 30*time.Second)
	p.write(agentHello(codec.AgentHello{Version: "2.0", MaxFrameSize: 1000, Capabilities: ""}))
	_, err := c.Handshake(t.Context(), spoetest.DefaultHello())
	require.NoError(t, err)
	_, err = p.nc.Write([]byte{0, 0, 3, 233})
	require.NoError(t, err)
	_, err = c.Next(t.Context())
	var bad *codec.Error
	require.ErrorAs(t, err, &bad)
	assert.Equal(t, codec.StatusTooBig, bad.Status)
}

func codecWrite(nc net.Conn, f codec.Frame) { _, _ = nc.Write(codec.AppendFrame(nil, f)) }

func TestAskRefusesBadArguments(t *testing.T) {
	c, _ := inMemory(t, time.Second)
	_, err := c.Ask(t.Context(), "m", spoetest.Arg("ch", make(chan int)))
	assert.ErrorContains(t, err, `message "m", argument 0 ("ch")`)
	_, err = c.Ask(t.Context(), "m", make([]spoetest.Argument, 256)...)
	assert.ErrorContains(t, err, "256 arguments")
}

// Each waiting call gets the ACK of its own, in whatever order they come, and
// whichever of the calls it is that reads.
func TestAcksInAnyOrder(t *testing.T) {
	c, p := inMemory(t, 30*time.Second)
	const n = 50
	var calls sync.WaitGroup
	for range n {
		calls.Go(func() {
			id, err := c.Notify(t.Context(), spoetest.Msg("m"))
			if !assert.NoError(t, err) {
				return
			}
			a, err := c.Ack(t.Context(), id)
			if !assert.NoError(t, err) {
				return
			}
			v, err := a.Vars()
			assert.NoError(t, err)
			assert.Equal(t, int64(id.Stream), v.Int("txn.stream"))
		})
	}
	var answers []codec.Frame
	for range n {
		f := p.read()
		answers = append(answers, ack(f.StreamID, f.FrameID, setVar(codec.ScopeTransaction, "stream", codec.Uint64(f.StreamID))))
	}
	for i := range answers {
		p.write(answers[len(answers)-1-i])
	}
	calls.Wait()
}

func TestTimeoutKeepsHalfAFrame(t *testing.T) {
	c, p := scripted(t, 30*time.Second)
	whole := codec.AppendFrame(nil, ack(1, 1, nil))
	_, err := p.nc.Write(whole[:6])
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	_, err = c.Next(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	_, err = p.nc.Write(whole[6:])
	require.NoError(t, err)
	f, err := c.Next(t.Context())
	require.NoError(t, err)
	assert.Equal(t, codec.FrameAck, f.Type)
}

func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := inMemory(t, 3*time.Second)
		start := time.Now()
		_, err := c.Ask(t.Context(), "m")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 3*time.Second, time.Since(start))
		assert.ErrorContains(t, err, "nothing for 3s")
		p.read()
		// A write that the agent never reads ends as well.
		start = time.Now()
		err = c.Write(t.Context(), make([]byte, 1<<20))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 3*time.Second, time.Since(start))
	})
}

func TestEnds(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(nc net.Conn)
		want error
	}{
		{"EOF", func(nc net.Conn) { nc.Close() }, io.EOF},
		{"within a frame", func(nc net.Conn) { nc.Write([]byte{0, 0, 0, 9, 1}); nc.Close() }, io.ErrUnexpectedEOF},
		{"reset", func(nc net.Conn) { _ = nc.(*net.TCPConn).SetLinger(0); nc.Close() }, syscall.ECONNRESET},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, p := scripted(t, 30*time.Second)
			tt.do(p.nc)
			for range 2 { // it stays so
				_, err := c.Next(t.Context())
				assert.ErrorIs(t, err, tt.want)
			}
		})
	}
}

func TestReadDisconnect(t *testing.T) {
	odd := agentDisconnect(0, "")
	odd.StreamID = 4
	for _, tt := range []struct {
		name   string
		frames []codec.Frame
		err    string
	}{
		{"alone", []codec.Frame{agentDisconnect(3, "big")}, ""},
		{"behind ACKs", []codec.Frame{ack(1, 1, nil), ack(2, 1, nil), agentDisconnect(3, "big")}, ""},
		{"none", nil, "without an AGENT-DISCONNECT"},
		{"not the last", []codec.Frame{agentDisconnect(3, "big"), ack(1, 1, nil)}, "ACK after the AGENT-DISCONNECT"},
		{"twice", []codec.Frame{agentDisconnect(3, "big"), agentDisconnect(3, "big")}, "AGENT-DISCONNECT after the AGENT-DISCONNECT"},
		{"only an ACK", []codec.Frame{ack(1, 1, nil)}, "the last frame is ACK"},
		{"ids", []codec.Frame{odd}, "stream-id 4"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, p := inMemory(t, 30*time.Second)
			p.write(tt.frames...)
			p.nc.Close()
			d, err := c.ReadDisconnect(t.Context())
			if tt.err != "" {
				assert.ErrorContains(t, err, tt.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, codec.Disconnect{Status: 3, Message: "big"}, d)
		})
	}
	t.Run("reset", func(t *testing.T) {
		c, p := scripted(t, 30*time.Second)
		require.NoError(t, c.Write(t.Context(), []byte("unread")))
		time.Sleep(20 * time.Millisecond) // for it to arrive: unread bytes make the close a reset
		p.write(agentDisconnect(3, "big"))
		p.nc.Close()
		_, err := c.ReadDisconnect(t.Context())
		assert.Error(t, err)
	})
}

func TestSegments(t *testing.T) {
	c, p := inMemory(t, 30*time.Second)
	c.Segments(spoetest.SegmentsOf(3, 0))
	require.NoError(t, c.Write(t.Context(), make([]byte, 10)))
	c.Segments(nil)
	require.NoError(t, c.Write(t.Context(), make([]byte, 10)))
	assert.Equal(t, []int{3, 3, 3, 1, 10}, p.nc.(*spoetest.Conn).Segments())
}

func TestSegmentsPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := inMemory(t, time.Minute)
		c.Segments(spoetest.SegmentsOf(1, time.Second))
		start := time.Now()
		require.NoError(t, c.Write(t.Context(), make([]byte, 5)))
		assert.Equal(t, 5*time.Second, time.Since(start))
	})
}

func TestFragments(t *testing.T) {
	payload := []byte("0123456789")
	for size := 1; size <= 12; size++ {
		frames := spoetest.Fragments(spoetest.ID{Stream: 3, Frame: 4}, payload, size)
		require.GreaterOrEqual(t, len(frames), 2)
		var joined []byte
		for i, f := range frames {
			assert.Equal(t, i == len(frames)-1, f.FIN())
			assert.Equal(t, i == 0, f.Type == codec.FrameNotify)
			assert.LessOrEqual(t, len(f.Payload), size)
			assert.Equal(t, []uint64{3, 4}, []uint64{f.StreamID, f.FrameID})
			joined = append(joined, f.Payload...)
		}
		assert.True(t, bytes.Equal(payload, joined))
	}
}

func TestReset(t *testing.T) {
	for name, connect := range map[string]func(*testing.T, time.Duration) (*spoetest.Client, *peer){"tcp": scripted, "memory": inMemory} {
		t.Run(name, func(t *testing.T) {
			c, p := connect(t, 5*time.Second)
			require.NoError(t, c.Reset())
			_, err := p.nc.Read(make([]byte, 1))
			assert.ErrorIs(t, err, syscall.ECONNRESET)
		})
	}
}

func TestCloseWrite(t *testing.T) {
	for name, connect := range map[string]func(*testing.T, time.Duration) (*spoetest.Client, *peer){"tcp": scripted, "memory": inMemory} {
		t.Run(name, func(t *testing.T) {
			c, p := connect(t, 5*time.Second)
			require.NoError(t, c.CloseWrite())
			_, err := p.nc.Read(make([]byte, 1))
			assert.Equal(t, io.EOF, err)
			p.write(ack(1, 1, nil))
			_, err = c.AnyAck(t.Context())
			require.NoError(t, err)
		})
	}
}

func TestHealthCheck(t *testing.T) {
	hello := agentHello(codec.AgentHello{Version: "2.0", MaxFrameSize: 16380, Capabilities: ""})
	for _, tt := range []struct {
		name   string
		frames []codec.Frame
		close  bool
		err    string
	}{
		{"good", []codec.Frame{hello}, true, ""},
		{"refused", nil, true, "EOF"},
		{"not closed", []codec.Frame{hello}, false, "did not close"},
		{"disconnect", []codec.Frame{hello, agentDisconnect(0, "")}, true, "AGENT-DISCONNECT after the AGENT-HELLO"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, p := inMemory(t, 200*time.Millisecond)
			p.write(tt.frames...)
			var wg sync.WaitGroup
			wg.Go(func() {
				p.read()
				if tt.close {
					p.nc.Close()
				}
			})
			_, err := c.HealthCheck(t.Context())
			wg.Wait()
			if tt.err == "" {
				assert.NoError(t, err)
			} else {
				assert.ErrorContains(t, err, tt.err)
			}
		})
	}
}

func TestConnUnreadBytesReset(t *testing.T) {
	c, p := inMemory(t, time.Second)
	require.NoError(t, c.Write(t.Context(), []byte("unread")))
	p.write(ack(1, 1, nil))
	p.nc.Close()
	_, err := c.AnyAck(t.Context())
	require.NoError(t, err, "what was sent before the reset can be read")
	_, err = c.Next(t.Context())
	assert.ErrorIs(t, err, syscall.ECONNRESET)
	assert.True(t, errors.Is(c.Write(t.Context(), []byte("x")), syscall.ECONNRESET))
}

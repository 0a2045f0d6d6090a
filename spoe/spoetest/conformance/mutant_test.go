package conformance_test

import (
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spoke-go/spoke/spoe/spoetest/conformance"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// mutant is a small agent that does one thing wrong. It answers one NOTIFY after the other,
// with an echo of its arguments.
type mutant struct {
	hello func(nc net.Conn, frame []byte)        // writes the AGENT-HELLO
	ack   func(f codec.Frame) []codec.Frame      // answers a NOTIFY; f is the right ACK
	bye   func(nc net.Conn, status codec.Status) // refuses
}

func write(nc net.Conn, frames ...codec.Frame) {
	for _, f := range frames {
		_, _ = nc.Write(codec.AppendFrame(nil, f))
	}
}

// rightBye leaves nothing unread, so that its frame is not reset away.
func rightBye(nc net.Conn, status codec.Status) {
	write(nc, agentDisconnect(status, status.String()))
	_ = nc.(*spoetest.Conn).CloseWrite()
	_ = nc.SetReadDeadline(time.Now().Add(time.Second))
	_, _ = io.Copy(io.Discard, nc)
}

func (m mutant) serve(nc net.Conn) {
	defer nc.Close()
	var in []byte
	limit := uint32(16380)
	next := func() (codec.Frame, bool) {
		for {
			if n, ok := codec.FrameLength(in); ok && n > limit {
				m.bye(nc, codec.StatusTooBig)
				return codec.Frame{}, false
			} else if ok && len(in) >= 4+int(n) {
				f, err := codec.ParseFrame(in[4 : 4+n])
				in = in[4+n:]
				if err != nil {
					m.bye(nc, codec.StatusInvalid)
				}
				return f, err == nil
			}
			b := make([]byte, 4096)
			n, err := nc.Read(b)
			if err != nil {
				return codec.Frame{}, false
			}
			in = append(in, b[:n]...)
		}
	}
	f, ok := next()
	if !ok {
		return
	}
	h, err := codec.ParseHAProxyHello(f.Payload)
	if err != nil || f.Type != codec.FrameHAProxyHello {
		m.bye(nc, codec.StatusInvalid)
		return
	}
	limit = min(limit, h.MaxFrameSize)
	m.hello(nc, codec.AppendFrame(nil, agentHello(codec.AgentHello{Version: "2.0", MaxFrameSize: limit, Capabilities: "pipelining,fragmentation"})))
	for !h.Healthcheck {
		f, ok := next()
		switch {
		case !ok:
			return
		case f.Type == codec.FrameHAProxyDisconnect:
			m.bye(nc, codec.StatusNormal)
			return
		case f.Type != codec.FrameNotify:
			continue
		}
		var out []byte
		msgs := codec.NewMessages(f.Payload)
		for msgs.Next() {
			if string(msgs.Message().Name) == conformance.MessageEcho {
				for name, v := range msgs.Message().Args.All() {
					out = codec.AppendSetVar(out, codec.ScopeTransaction, name, v)
				}
			}
		}
		write(nc, m.ack(ack(f.StreamID, f.FrameID, out))...)
	}
}

// The suite finds an agent's faults: each mutant fails the case on its fault, and an agent
// without the fault passes it.
func TestSuiteFindsFaults(t *testing.T) {
	right := mutant{
		hello: func(nc net.Conn, frame []byte) { _, _ = nc.Write(frame) },
		ack:   func(f codec.Frame) []codec.Frame { return []codec.Frame{f} },
		bye:   rightBye,
	}
	for _, tt := range []struct {
		name   string
		fails  string
		mutate func(*mutant)
	}{
		{"hello in two writes", "write/hello", func(m *mutant) {
			m.hello = func(nc net.Conn, frame []byte) { _, _ = nc.Write(frame[:10]); _, _ = nc.Write(frame[10:]) }
		}},
		{"no FIN", "notify/one", func(m *mutant) {
			m.ack = func(f codec.Frame) []codec.Frame { f.Flags = 0; return []codec.Frame{f} }
		}},
		{"two ACKs", "notify/one", func(m *mutant) {
			m.ack = func(f codec.Frame) []codec.Frame { return []codec.Frame{f, f} }
		}},
		{"no ACK where there are no actions", "unknown/message", func(m *mutant) {
			m.ack = func(f codec.Frame) []codec.Frame {
				if len(f.Payload) == 0 {
					return nil
				}
				return []codec.Frame{f}
			}
		}},
		{"ids of 32 bits", "notify/ids", func(m *mutant) {
			m.ack = func(f codec.Frame) []codec.Frame { f.StreamID &= 1<<32 - 1; return []codec.Frame{f} }
		}},
		{"too long an ACK", "notify/one", func(m *mutant) {
			m.ack = func(f codec.Frame) []codec.Frame {
				f.Payload = setVar(codec.ScopeTransaction, "x", codec.String(string(make([]byte, 17000))))
				return []codec.Frame{f}
			}
		}},
		{"closes without a word", "disconnect/status", func(m *mutant) { m.bye = func(net.Conn, codec.Status) {} }},
		{"wrong status", "size/frame-one-over", func(m *mutant) {
			m.bye = func(nc net.Conn, _ codec.Status) { rightBye(nc, codec.StatusInvalid) }
		}},
		{"goes on after its DISCONNECT", "disconnect/status", func(m *mutant) {
			m.bye = func(nc net.Conn, s codec.Status) { write(nc, agentDisconnect(s, ""), ack(1, 1, nil)) }
		}},
		{"DISCONNECT and no close", "disconnect/at-once", func(m *mutant) {
			m.bye = func(nc net.Conn, s codec.Status) {
				write(nc, agentDisconnect(s, ""))
				time.Sleep(2 * time.Second) // beyond what the target is given
			}
		}},
		{"nothing wrong", "", func(*mutant) {}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := right
				tt.mutate(&m)
				ln := spoetest.NewListener()
				t.Cleanup(func() {
					_ = ln.Close()
					time.Sleep(5 * time.Second) // the connections end
				})
				go func() { // ends with the listener
					for {
						nc, err := ln.Accept()
						if err != nil {
							return
						}
						go m.serve(nc) // ends with the connection
					}
				}()
				target := &conformance.Target{
					Dial:     func(ctx context.Context) (net.Conn, error) { return ln.DialContext(ctx) },
					Message:  spoetest.Msg(conformance.MessageEcho, spoetest.Arg("ip", "192.0.2.1")),
					Expect:   expectEcho,
					Messages: []string{conformance.MessageEcho},
					Wait:     time.Second,
				}
				for _, name := range []string{
					"write/hello", "notify/one", "notify/ids", "unknown/message", "disconnect/status", "disconnect/at-once", "size/frame-one-over",
				} {
					for r := range conformance.Run(t.Context(), target, conformance.CasesOf(name)) {
						if r.Name == name && tt.fails == name {
							assert.Error(t, r.Err, "%s has found nothing", name)
							t.Log(r.Err)
						}
						if r.Name == name && tt.fails == "" {
							assert.NoError(t, r.Err, name)
						}
					}
				}
			})
		})
	}
}

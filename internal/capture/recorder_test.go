package capture_test

import (
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
)

// recorder is a proxy between HAProxy and the agent that keeps every frame.
type recorder struct {
	addr  string // where HAProxy connects to
	agent string

	// mu guards conns, and what is in them.
	mu    sync.Mutex
	conns []*recording
}

// recording are the frames of one connection, each with its length, in the
// order in which their last bytes came. A frame is kept before it is passed on,
// so an answer never comes before what it answers.
type recording struct {
	frames  [][]byte
	partial [2][]byte // of HAProxy and of the agent: a frame that is not whole yet
	ended   bool
}

func newRecorder(t *testing.T, agent string) *recorder {
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r := &recorder{addr: lis.Addr().String(), agent: agent}
	var wg sync.WaitGroup
	wg.Go(func() { // ended by closing the listener
		for {
			c, err := lis.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { r.serve(c) }) // ended by either side's close: both end before the recorder does
		}
	})
	t.Cleanup(func() {
		lis.Close()
		wg.Wait()
	})
	return r
}

func (r *recorder) serve(haproxy net.Conn) {
	defer haproxy.Close()
	agent, err := net.Dial("tcp", r.agent)
	if err != nil {
		return
	}
	defer agent.Close()
	rec := &recording{}
	r.mu.Lock()
	r.conns = append(r.conns, rec)
	r.mu.Unlock()
	var wg sync.WaitGroup
	wg.Go(func() { r.pass(rec, 0, haproxy, agent) })
	wg.Go(func() { r.pass(rec, 1, agent, haproxy) })
	wg.Wait()
	r.mu.Lock()
	rec.ended = true
	r.mu.Unlock()
}

// pass copies from one side to the other, a write for a read: a hello must
// arrive in one piece.
func (r *recorder) pass(rec *recording, side int, from, to net.Conn) {
	b := make([]byte, 64<<10)
	for {
		n, err := from.Read(b)
		if n > 0 {
			r.mu.Lock()
			rec.add(side, b[:n])
			r.mu.Unlock()
			if _, werr := to.Write(b[:n]); werr != nil {
				err = werr
			}
		}
		if err != nil {
			to.Close()
			return
		}
	}
}

func (rec *recording) add(side int, b []byte) {
	p := append(rec.partial[side], b...)
	for {
		n, ok := codec.FrameLength(p)
		if whole := int(n) + codec.LengthSize; ok && len(p) >= whole {
			rec.frames = append(rec.frames, slices.Clone(p[:whole]))
			p = p[whole:]
			continue
		}
		rec.partial[side] = slices.Clone(p)
		return
	}
}

// wait returns the frames of the first connection for which ok is true.
func (r *recorder) wait(t *testing.T, ok func(frames [][]byte, ended bool) bool) [][]byte {
	t.Helper()
	var found [][]byte
	require.Eventually(t, func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, rec := range r.conns {
			if ok(rec.frames, rec.ended) {
				found = slices.Clone(rec.frames)
				return true
			}
		}
		return false
	}, waitLimit, tick, "the frames do not come")
	return found
}

func typeOf(raw []byte) codec.FrameType { return codec.FrameType(raw[codec.LengthSize]) }

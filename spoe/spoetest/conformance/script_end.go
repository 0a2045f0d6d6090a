package conformance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spoke-go/spoke/spoe/spoetest"

	"github.com/spoke-go/spoke/codec"
)

// How a script finds that the agent ends a connection.

// finished does the DISCONNECT handshake, and checks that nothing but the
// AGENT-DISCONNECT was still to come: no second ACK, no late one.
func (s *script) finished() {
	s.send(spoetest.DisconnectFrame(codec.Disconnect{Message: "normal"}))
	frames := s.drained(nil)
	if len(frames) != 1 {
		s.failf("%v was still to come before the AGENT-DISCONNECT, want nothing", frames[0].Type)
	}
}

// refused checks that the agent disconnects with one of the status codes, with
// no frame before or after, and ends the connection in order.
func (s *script) refused(statuses ...codec.Status) {
	frames := s.drained(statuses)
	if len(frames) != 1 {
		s.failf("%v before the AGENT-DISCONNECT, want nothing", frames[0].Type)
	}
}

// drained reads to the end, checks the AGENT-DISCONNECT there, and returns all
// that came. No statuses means 0.
func (s *script) drained(statuses []codec.Status) []codec.Frame {
	if len(statuses) == 0 {
		statuses = []codec.Status{codec.StatusNormal}
	}
	frames, err := s.c.Drain(s.ctx)
	d, err := spoetest.LastDisconnect(frames, err)
	s.check(err)
	if !slices.Contains(statuses, d.Status) {
		s.failf("AGENT-DISCONNECT with status %d (%q), want %v", uint32(d.Status), d.Message, listOf(statuses))
	}
	return frames
}

func listOf(statuses []codec.Status) string {
	words := make([]string, len(statuses))
	for i, st := range statuses {
		words[i] = fmt.Sprintf("%d (%v)", uint32(st), st)
	}
	return strings.Join(words, " or ")
}

// ended waits until the agent ends the connection in whatever way, within its
// own timeout and Target.Wait.
func (s *script) ended(timeout time.Duration) {
	start := time.Now()
	for {
		_, err := s.c.Next(s.ctx)
		took := time.Since(start)
		switch {
		case err == nil, errors.Is(err, context.DeadlineExceeded) && took < timeout+s.t.wait():
			s.check(s.ctx.Err())
		case errors.Is(err, context.DeadlineExceeded):
			s.failf("the connection is still there after %v, its timeout is %v", took, timeout)
		case took < timeout/2:
			s.failf("the connection ended after %v, its timeout is %v: %w", took, timeout, err)
		default:
			return
		}
	}
}

package stress_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/spoe/spoetest"
)

// client runs a random schedule on one connection after the other until end, or until
// the agent ends.
type client struct {
	t    *testing.T
	rnd  *rand.Rand
	to   *target
	id   int
	asks int // NOTIFYs sent
	held int // ACKs that were what the model says

	detached int // messages of that kind that were acknowledged
}

func (c *client) run(end time.Time) {
	for time.Now().Before(end) {
		conn, err := c.dial()
		if !c.fine(err, "hello") {
			return
		}
		for range 1 + c.rnd.IntN(20) {
			if !c.burst(conn) {
				break
			}
		}
		switch c.rnd.IntN(4) {
		case 0:
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			_, err := conn.Disconnect(ctx, 0, "")
			cancel()
			c.fine(err, "DISCONNECT")
		case 1: // leaves with NOTIFYs in flight
			_, _ = conn.Notify(context.Background(), spoetest.Msg("wait", spoetest.Arg("token", "left")))
			_ = conn.Reset()
		case 2: // and with a payload that is not whole
			payload, err := spoetest.Payload(spoetest.Msg("ok", spoetest.Arg("pad", make([]byte, 1000))))
			assert.NoError(c.t, err)
			_ = conn.WriteFrames(context.Background(), spoetest.Fragments(spoetest.ID{Stream: 1 << 40, Frame: 1}, payload, 400)[:2]...)
		}
		_ = conn.Close() // the agent may have been faster
	}
}

// fine fails the test for an error, unless the agent is ending: then any connection
// may end. It reports whether there was none.
func (c *client) fine(err error, what string) bool {
	if err != nil && !c.to.ending.Load() {
		assert.NoError(c.t, err, what)
	}
	return err == nil
}

func (c *client) dial() (*spoetest.Client, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var nc net.Conn
	nc, err := c.to.dial(ctx)
	if err != nil {
		return nil, err
	}
	hello := spoetest.DefaultHello()
	if c.rnd.IntN(2) == 0 {
		hello.Capabilities = "pipelining,async"
	}
	conn := spoetest.NewClient(nc, patience)
	if _, err := conn.Handshake(ctx, hello); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

type sent struct{ kind, token string }

// burst sends some NOTIFYs and holds their ACKs against them. It reports whether the
// connection can go on.
func (c *client) burst(conn *spoetest.Client) bool {
	awaited := map[spoetest.ID]sent{}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for range 1 + c.rnd.IntN(20) {
		s := c.next()
		msg := spoetest.Msg(s.kind, spoetest.Arg("token", s.token), spoetest.Arg("pad", padOf(s.token, c.rnd.IntN(3000))))
		var id spoetest.ID
		var err error
		if c.rnd.IntN(5) > 0 {
			id, err = conn.Notify(ctx, msg)
		} else {
			id, err = conn.NotifyFragments(ctx, 1+c.rnd.IntN(500), msg)
		}
		if !c.fine(err, "NOTIFY") {
			return false
		}
		awaited[id] = s
	}
	for id, s := range awaited {
		ack, err := conn.Ack(ctx, id)
		if !c.fine(err, s.kind+" "+s.token) {
			return false
		}
		c.check(s, ack)
	}
	return true
}

// next chooses a message. Some have a token for a second time, which Cache and
// Coalesce may answer for the first.
func (c *client) next() sent {
	kind := []string{"ok", "ok", "ok", "wait"}[c.rnd.IntN(4)]
	if c.rnd.IntN(10) == 0 {
		kind = []string{"fail", "panic", "exit", "late", "overwrite", "unreadable", "detached"}[c.rnd.IntN(7)]
	}
	if c.asks == 0 || kinds[kind] == detached || c.rnd.IntN(5) > 0 {
		c.asks++
	}
	return sent{kind, fmt.Sprintf("%s-%d-%d", kind, c.id, c.asks)}
}

// check holds an ACK against the model.
func (c *client) check(s sent, ack spoetest.Ack) {
	vars, err := ack.Vars()
	if !assert.NoError(c.t, err) {
		return
	}
	c.held++
	switch {
	case kinds[s.kind] == fails:
		assert.True(c.t, vars.Has("txn.error"), "%s: %v", s.token, vars)
		assert.False(c.t, vars.Has("txn.token"), "%s: %v", s.token, vars)
	case vars.Has("txn.error"): // on a busy machine any message can be late, and an agent that is closed ends its handlers
		assert.False(c.t, vars.Has("txn.token"), "%s: %v", s.token, vars)
	case kinds[s.kind] == detached:
		c.detached++
		assert.False(c.t, vars.Has("txn.token"), "%s: %v", s.token, vars)
	default:
		assert.Equal(c.t, s.token, vars.Str("txn.token"), "%v, agent ending: %v", vars, c.to.ending.Load())
	}
}

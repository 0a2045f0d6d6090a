package spoe_test

import (
	"context"
	"crypto/tls"
	"net"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/spoe"
)

// How long a test waits for an event, which a busy machine may delay, and how often it
// looks.
const (
	eventually = 30 * time.Second
	tick       = time.Millisecond
)

func itoa(n int) string { return strconv.Itoa(n) }

type handlerFunc = func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error

// byName hands a message to the handler of its name.
type byName map[string]handlerFunc

func (m byName) ServeSPOE(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
	if h := m[msg.Name]; h != nil {
		return h(ctx, msg, acts)
	}
	return nil
}

// within has h called by Message.ServeWithin.
func within(d time.Duration, h handlerFunc) handlerFunc {
	return func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
		return msg.ServeWithin(ctx, d, spoe.HandlerFunc(h), acts)
	}
}

func set(name string, v int64) handlerFunc {
	return func(_ context.Context, _ *spoe.Message, acts *spoe.Actions) error {
		return acts.SetInt(spoe.VarScopeTransaction, name, v)
	}
}

// dialAgent runs an agent on a TCP port and connects to it. end closes the agent and waits
// for its end; the test's cleanup calls it as well.
func dialAgent(t *testing.T, a *spoe.Agent) (nc net.Conn, end func()) {
	t.Helper()
	ln, err := spoe.Listen("127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- a.Serve(ln) }() // ends with Close
	end = sync.OnceFunc(func() {
		a.Close()
		assert.ErrorIs(t, <-ended, spoe.ErrAgentClosed)
	})
	t.Cleanup(end)
	nc, err = net.Dial("tcp", ln.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { nc.Close() })
	return nc, end
}

// certificate returns a configuration for Agent.TLSConfig.
func certificate(t *testing.T) *tls.Config {
	t.Helper()
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	return &tls.Config{Certificates: s.TLS.Certificates}
}

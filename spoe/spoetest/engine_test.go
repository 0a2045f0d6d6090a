package spoetest_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spoke-go/spoke/spoe/spoetest/conformance"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

func TestNew(t *testing.T) {
	haproxy := spoetest.New(t, conformance.ContractHandler())
	got := haproxy.Ask(conformance.MessageEcho, spoetest.Arg("a", 1), spoetest.Arg("b", "x"))
	assert.Equal(t, map[string]any{"txn.a": 1, "txn.b": "x"}, got.Map())
	assert.Equal(t, int64(1), haproxy.Agent().Stats().Connections)
	second := haproxy.Dial(spoetest.DefaultHello())
	_, err := second.Ask(t.Context(), conformance.MessageFail)
	require.NoError(t, err)
	_, err = haproxy.Connect().HealthCheck(t.Context())
	require.NoError(t, err)
}

func TestNewInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		haproxy := spoetest.NewAgent(t, &spoe.Agent{Handler: conformance.ContractHandler(), IdleTimeout: time.Hour})
		start := time.Now()
		got := haproxy.Ask(conformance.MessageSleep, spoetest.Arg("ms", 9000))
		assert.Equal(t, int64(9000), got.Int("txn.slept"))
		assert.Equal(t, 9*time.Second, time.Since(start))
	})
}

// mock is a testing.TB whose failures are not the test's.
type mock struct {
	testing.TB

	mu       sync.Mutex
	errors   []string
	cleanups []func()
}

func (r *mock) Errorf(format string, _ ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errors = append(r.errors, format)
}
func (r *mock) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }

func (r *mock) end() {
	for _, f := range r.cleanups {
		f()
	}
}

func TestNewFailsWhereHandlersAreLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &mock{TB: t}
		release := make(chan struct{})
		haproxy := spoetest.NewAgent(r, &spoe.Agent{Handler: spoe.HandlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error {
			<-release
			return nil
		})})
		_, err := haproxy.Notify(t.Context(), spoetest.Msg("m"))
		require.NoError(t, err)
		synctest.Wait()
		r.end()
		close(release)
		require.Len(t, r.errors, 1)
	})
}

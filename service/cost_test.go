//go:build !race

package service_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/service"
	"github.com/spoke-go/spoke/service/servicetest"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

type number struct {
	N int `spoe:"n"`
}

func double(_ context.Context, in number) (number, error) { return number{2 * in.N}, nil }

// served returns the router of a program that runs without any configuration, and one
// of its own with Timeout and Recover alone.
func served(t testing.TB) (full, bare *router.Router) {
	routers := make(chan *router.Router, 1)
	r := servicetest.Start(t, service.Agent[struct{}]{Name: "cost", Setup: func(_ context.Context, s *service.Setup[struct{}]) error {
		s.Router.Handle("double", double)
		routers <- s.Router
		return nil
	}})
	r.Addr(t)
	bare = router.New()
	bare.Use(middleware.Timeout(100*time.Millisecond), middleware.Recover())
	bare.Handle("double", double)
	return <-routers, bare
}

func message(t testing.TB) *spoe.Message {
	msg, err := spoetest.NewMessage("double", spoetest.Arg("n", 21))
	require.NoError(t, err)
	return msg
}

// Without any configuration, a message that passes through the service's logs, traces,
// metrics and page allocates one thing more than on a router without them: the context
// that has the caller's span.
func TestCost(t *testing.T) {
	full, bare := served(t)
	allocs := func(r *router.Router) float64 {
		msg, acts := message(t), new(spoe.Actions)
		return testing.AllocsPerRun(1000, func() {
			acts.Reset()
			require.NoError(t, r.ServeSPOE(t.Context(), msg, acts))
		})
	}
	assert.LessOrEqual(t, allocs(full), allocs(bare)+1)
}

func BenchmarkCost(b *testing.B) {
	full, bare := served(b)
	for name, r := range map[string]*router.Router{"service": full, "router": bare} {
		b.Run(name, func(b *testing.B) {
			msg, acts := message(b), new(spoe.Actions)
			b.ReportAllocs()
			for b.Loop() {
				acts.Reset()
				if err := r.ServeSPOE(b.Context(), msg, acts); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

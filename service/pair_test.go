package service_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/pair"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/service"
	"github.com/spoke-go/spoke/service/servicetest"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

type kept struct {
	Tx string `spoe:"tx"`
}

type later struct {
	Tx pair.Key `spoe:"tx"`
}

// TestPair: a value is taken by the later message, the metrics count it, the end of the
// program waits for values that can still be taken, and evicts the others.
func TestPair(t *testing.T) {
	evicted := make(chan pair.Reason, 10)
	a := newAgent()
	a.Setup = func(_ context.Context, s *service.Setup[config]) error {
		store, err := s.Pair("values", pair.Config[string]{Evicted: func(_ string, r pair.Reason) { evicted <- r }})
		if err != nil {
			return err
		}
		s.Router.Handle("first", func(context.Context, struct{}) (kept, error) {
			return kept{store.Put("value")}, nil
		}).Event(router.OnFrontendHTTPRequest)
		s.Router.Handle("second", func(_ context.Context, in later) (answer, error) {
			v, ok := store.Take(string(in.Tx))
			if !ok {
				return answer{}, errors.New("no value")
			}
			return answer{Table: v}, nil
		}).Event(router.OnHTTPResponse)
		return nil
	}
	r := servicetest.Start(t, a, "-shutdown-timeout", "1s")
	client, err := spoetest.Dial(t.Context(), "tcp", r.Addr(t))
	require.NoError(t, err)
	defer client.Close()
	first := func() spoetest.Argument {
		vars, err := client.Ask(t.Context(), "first")
		require.NoError(t, err)
		return spoetest.Arg("tx", vars.Str("txn.tx"))
	}
	taken := first()
	vars, err := client.Ask(t.Context(), "second", taken)
	require.NoError(t, err)
	assert.Equal(t, "value", vars.Str("txn.table"))
	first() // its later message never comes
	text := r.Scrape(t, `spop_pair_waiting{spop_pair_name="values"} 1`)
	assert.Contains(t, strings.ReplaceAll(text, `spop_pair_name="values",spop_pair_outcome`, "outcome"), `outcome="taken"} 1`)
	begun := time.Now()
	r.Stop()
	assert.Equal(t, pair.ShutDown, <-evicted)
	assert.Zero(t, <-r.Ended)
	assert.Empty(t, evicted)
	assert.GreaterOrEqual(t, time.Since(begun), 400*time.Millisecond, "half of the shutdown's time is for values")
}

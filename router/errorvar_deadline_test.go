package router_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// HAProxy fails closed by the variable, even if the NOTIFY waited until its deadline
// without being handled.
func TestErrorVarOfAWaitingNotify(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := router.New()
		r.ErrorVar(spoe.VarScopeTransaction, "error")
		r.Observe("long", func(context.Context, struct{}) error {
			time.Sleep(time.Minute)
			return nil
		})
		haproxy := spoetest.NewAgent(t, &spoe.Agent{Handler: r, MaxConcurrent: 1, MaxLateHandlers: 1, NotifyTimeout: time.Second})
		var ids []spoetest.ID
		for range 5 { // the first is late, the second counts as in flight, and the others wait for it
			id, err := haproxy.Notify(t.Context(), spoetest.Msg("long"))
			require.NoError(t, err)
			ids = append(ids, id)
			time.Sleep(10 * time.Millisecond)
		}
		for _, id := range ids {
			vars, err := readAck(t, haproxy, id)
			require.NoError(t, err)
			assert.Equal(t, "txn.error=timeout", vars.String())
		}
		time.Sleep(time.Minute) // the last handler ends
	})
}

// A function given to OnFailure that does not return takes nothing from the variable.
func TestErrorVarWhereAHookHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := router.New()
		r.ErrorVar(spoe.VarScopeTransaction, "error")
		hangs := func(error, *spoe.Actions) { time.Sleep(time.Second) }
		r.HandleRaw("fails", spoe.HandlerFunc(func(_ context.Context, msg *spoe.Message, _ *spoe.Actions) error {
			msg.OnFailure(hangs)
			return errors.New("no database")
		}))
		r.With(within(20*time.Millisecond)).HandleRaw("late", spoe.HandlerFunc(func(ctx context.Context, msg *spoe.Message, _ *spoe.Actions) error {
			msg.OnFailure(hangs)
			time.Sleep(time.Second)
			return nil
		}))
		haproxy := spoetest.New(t, r)
		for _, name := range []string{"fails", "late"} {
			assert.Equal(t, "txn.error=timeout", haproxy.Ask(name).String(), name)
		}
		time.Sleep(time.Minute)
	})
}

// readAck waits for an ACK as long as it takes.
func readAck(t *testing.T, haproxy *spoetest.Engine, id spoetest.ID) (spoetest.Vars, error) {
	for {
		ack, err := haproxy.Ack(t.Context(), id)
		if err == nil {
			return ack.Vars()
		}
		if ctx := t.Context(); ctx.Err() != nil {
			return spoetest.Vars{}, err
		}
	}
}

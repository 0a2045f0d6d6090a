package spoe_test

import (
	"context"
	"strconv"
	"time"

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

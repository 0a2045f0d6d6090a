package spoe_test

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/internal/lockedbuffer"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

func TestFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		boom := errors.New("boom")
		fail := func(h handlerFunc) handlerFunc {
			return func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
				msg.OnFailure(func(err error, acts *spoe.Actions) {
					acts.SetString(spoe.VarScopeTransaction, "error", err.Error())
				})
				acts.SetInt(spoe.VarScopeTransaction, "half", 1)
				return h(ctx, msg, acts)
			}
		}
		log := new(lockedbuffer.Buffer)
		h := spoetest.NewAgent(t, &spoe.Agent{
			Logger: slog.New(slog.NewTextHandler(log, nil)),
			Handler: byName{
				"ok":    set("ok", 1),
				"error": fail(func(context.Context, *spoe.Message, *spoe.Actions) error { return boom }),
				"panic": fail(func(context.Context, *spoe.Message, *spoe.Actions) error { panic(boom) }),
				"nil":   fail(func(context.Context, *spoe.Message, *spoe.Actions) error { panic(nil) }),
				"exit": fail(func(context.Context, *spoe.Message, *spoe.Actions) error {
					runtime.Goexit()
					return nil
				}),
				"big": fail(func(_ context.Context, _ *spoe.Message, acts *spoe.Actions) error {
					return acts.SetString(spoe.VarScopeTransaction, "big", strings.Repeat("x", 20000))
				}),
				"reset": func(_ context.Context, _ *spoe.Message, acts *spoe.Actions) error {
					acts.SetInt(spoe.VarScopeTransaction, "gone", 1)
					assert.Equal(t, 1, acts.Len())
					acts.Reset()
					assert.Zero(t, acts.Len())
					return acts.SetInt(spoe.VarScopeTransaction, "kept", 1)
				},
			},
		})
		for name, want := range map[string]string{
			"error": "txn.error=boom",
			"panic": "txn.error=spoe: handler panicked: boom",
			"nil":   "txn.error=spoe: handler panicked: runtime error: panic called with nil argument",
			"big":   "txn.error=" + spoe.ErrActionsTooBig.Error(),
			"reset": "txn.kept=1",
		} {
			got := h.AskAll(spoetest.Msg("ok"), spoetest.Msg(name), spoetest.Msg("ok"))
			assert.Equal(t, "txn.ok=1 "+want+" txn.ok=1", got.String(), name)
		}
		got := h.AskAll(spoetest.Msg("ok"), spoetest.Msg("exit"), spoetest.Msg("ok"))
		assert.Equal(t, "txn.ok=1 txn.error=spoe: handler ended its goroutine (runtime.Goexit)", got.String(), "the goroutine is gone")
		s := h.Agent().Stats()
		assert.EqualValues(t, 1, s.Errors)
		assert.EqualValues(t, 3, s.Panics)
		assert.EqualValues(t, 1, s.DroppedActions)
		assert.Equal(t, s.Notifies, s.Acks)
		assert.Eventually(t, func() bool { return strings.Contains(log.String(), "failure_test.go") }, eventually, tick, "a panic is logged with its stack")
	})
}

func TestActionNames(t *testing.T) {
	acts := new(spoe.Actions)
	for name, want := range map[string]string{
		"":                      "without a name",
		"a-b":                   `HAProxy refuses the character '-'`,
		"ä":                     "HAProxy refuses the character",
		strings.Repeat("x", 60): "64 bytes with its scope",
	} {
		assert.ErrorContains(t, acts.SetVar(spoe.VarScopeTransaction, name, 1), want)
		assert.ErrorContains(t, acts.UnsetVar(spoe.VarScopeTransaction, name), want)
	}
	assert.ErrorContains(t, acts.SetInt(9, "x", 1), "no scope of HAProxy")
	assert.ErrorContains(t, acts.SetVar(spoe.VarScopeSession, "x", struct{}{}), `variable "x": a struct {} has no SPOP type`)
	assert.Zero(t, acts.Len(), "nothing was added")
	assert.NoError(t, acts.SetVar(spoe.VarScopeTransaction, strings.Repeat("x", 59), 1.5))
	for a := range acts.All() {
		assert.True(t, a.Value.Equal(codec.String("1.5")), "a float is its shortest decimal string")
	}
}

func TestActionCount(t *testing.T) {
	type result struct {
		A, B int `spoe:"-"`
		C    int `spoe:"c"`
		D    int `spoe:"d"`
	}
	enc, err := codec.EncoderOf(reflect.TypeFor[result]())
	require.NoError(t, err)
	acts := new(spoe.Actions)
	require.NoError(t, acts.SetResult(enc, &result{}))
	require.NoError(t, acts.SetInt(spoe.VarScopeTransaction, "x", 1))
	require.NoError(t, acts.UnsetVar(spoe.VarScopeTransaction, "y"))
	assert.Equal(t, 4, acts.Len())
	require.NoError(t, acts.SetInt(spoe.VarScopeTransaction, "z", 1))
	assert.Equal(t, 5, acts.Len())
}

package spoe_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// noText is an error without a text: its methods panic.
type noText struct{}

func (noText) Error() string   { panic("no text") }
func (noText) Is(error) bool   { panic("no kind") }
func (noText) As(any) bool     { panic("no type") }
func (noText) Unwrap() []error { panic("no cause") }

// quiet is an agent whose log goes nowhere.
func quiet(h spoe.Handler) *spoe.Agent {
	return &spoe.Agent{Handler: h, Logger: slog.New(slog.DiscardHandler)}
}

// setsError sets txn.error to the text of the failure.
func setsError(err error, acts *spoe.Actions) {
	acts.SetString(spoe.VarScopeTransaction, "error", err.Error())
}

// TestOnFailureWhateverTheError: HAProxy fails closed by what OnFailure sets, so
// a handler's slip in its error must not lose it.
func TestOnFailureWhateverTheError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		returning := func(err error) handlerFunc {
			return func(_ context.Context, msg *spoe.Message, _ *spoe.Actions) error {
				msg.OnFailure(setsError)
				return err
			}
		}
		h := spoetest.NewAgent(t, quiet(byName{
			"typed-nil": returning((*nilError)(nil)),
			"panics":    returning(noText{}),
			"wrapped":   returning(errors.Join(errors.New("outer"), noText{})),
			"value": func(_ context.Context, msg *spoe.Message, _ *spoe.Actions) error {
				msg.OnFailure(setsError)
				panic(noText{})
			},
		}))
		for name, want := range map[string]string{
			"typed-nil": "txn.error=spoe: the handler returned an error of type *spoe_test.nilError whose methods panic: ",
			"panics":    "txn.error=spoe: the handler returned an error of type spoe_test.noText whose methods panic: no text",
			"wrapped":   "txn.error=spoe: the handler returned an error of type *errors.joinError whose methods panic: no text",
			"value":     "txn.error=spoe: handler panicked: ",
		} {
			got := h.Ask(name).String()
			assert.True(t, strings.HasPrefix(got, want), "%s: %s", name, got)
		}
	})
}

// TestOnFailureEachForItself: a hook that panics, overwrites its actions or sets
// too much loses nothing of the others.
func TestOnFailureEachForItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		boom := errors.New("boom")
		bad := map[string]func(error, *spoe.Actions){
			"panics": func(_ error, acts *spoe.Actions) {
				acts.SetInt(spoe.VarScopeTransaction, "lost", 1)
				panic("hook")
			},
			"resets": func(_ error, acts *spoe.Actions) {
				acts.Reset()
				acts.SetInt(spoe.VarScopeTransaction, "lost", 1)
				panic("hook")
			},
			"overwrites": func(_ error, acts *spoe.Actions) {
				*acts = spoe.Actions{}
				panic("hook")
			},
			"too big": func(_ error, acts *spoe.Actions) {
				acts.SetString(spoe.VarScopeTransaction, "lost", strings.Repeat("x", 20000))
			},
		}
		handlers := byName{"ok": set("ok", 1)}
		for name, hook := range bad {
			handlers[name] = func(_ context.Context, msg *spoe.Message, _ *spoe.Actions) error {
				msg.OnFailure(func(_ error, acts *spoe.Actions) { acts.SetInt(spoe.VarScopeTransaction, "before", 1) })
				msg.OnFailure(hook)
				msg.OnFailure(setsError)
				return boom
			}
		}
		h := spoetest.NewAgent(t, quiet(handlers))
		for name := range bad {
			got := h.AskAll(spoetest.Msg("ok"), spoetest.Msg(name), spoetest.Msg("ok")).String()
			assert.Equal(t, "txn.ok=1 txn.before=1 txn.error=boom txn.ok=1", got, name)
		}
	})
}

// TestFailureHook: code that passes a copy to a handler can call the functions of its
// OnFailure.
func TestFailureHook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := spoetest.NewAgent(t, quiet(byName{
			"clone": func(_ context.Context, msg *spoe.Message, _ *spoe.Actions) error {
				c := msg.Clone()
				assert.Nil(t, c.FailureHook(), "none yet")
				c.OnFailure(setsError)
				c.OnFailure(func(_ error, acts *spoe.Actions) { acts.SetInt(spoe.VarScopeTransaction, "second", 2) })
				assert.Nil(t, msg.FailureHook(), "the agent calls its own")
				msg.OnFailure(c.FailureHook())
				return errors.New("boom")
			},
			"unused": func(_ context.Context, msg *spoe.Message, _ *spoe.Actions) error {
				msg.Clone().OnFailure(setsError)
				msg.Fork().OnFailure(setsError)
				return errors.New("boom")
			},
			"fork": func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
				f := msg.Fork()
				assert.Equal(t, msg.Args, f.Args)
				msg.OnFailure(func(err error, acts *spoe.Actions) { f.FailureHook()(err, acts) })
				f.OnFailure(func(err error, acts *spoe.Actions) {
					acts.SetBool(spoe.VarScopeTransaction, "late", errors.Is(err, spoe.ErrTimeout))
				})
				return f.ServeWithin(ctx, 5*time.Millisecond, spoe.HandlerFunc(func(ctx context.Context, _ *spoe.Message, _ *spoe.Actions) error {
					<-ctx.Done()
					time.Sleep(5 * time.Millisecond)
					return ctx.Err()
				}), acts)
			},
		}))
		assert.Equal(t, "txn.error=boom txn.second=2", h.Ask("clone").String())
		assert.Equal(t, "", h.Ask("unused").String())
		assert.Equal(t, "txn.late=true", h.Ask("fork").String(), "a fork has the message's deadline")
	})
}

// TestPanickingLogger: a logger that panics costs neither the ACK nor the program.
func TestPanickingLogger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := spoetest.NewAgent(t, &spoe.Agent{
			Logger: slog.New(panickingLog{}),
			Handler: byName{"m": func(_ context.Context, msg *spoe.Message, _ *spoe.Actions) error {
				msg.OnFailure(setsError)
				return errors.New("boom")
			}},
		})
		assert.Equal(t, "txn.error=boom", h.Ask("m").String())
	})
}

// panickingLog panics on lines about messages.
type panickingLog struct{ slog.Handler }

func (panickingLog) Enabled(context.Context, slog.Level) bool { return true }

func (panickingLog) Handle(_ context.Context, r slog.Record) error {
	if strings.Contains(r.Message, "message failed") {
		panic("log")
	}
	return nil
}

// exiting is an error that ends the goroutine that asks it for its text.
type exiting struct{}

func (exiting) Error() string {
	runtime.Goexit()
	return ""
}

// asking is a logger that panics when it is asked whether it wants a line.
type asking struct{ slog.Handler }

func (asking) Enabled(context.Context, slog.Level) bool { panic("enabled") }

// TestMethodsThatDoNotReturn: neither an error's text nor a logger's level ends the agent
// or takes the ACK's actions.
func TestMethodsThatDoNotReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := spoetest.NewAgent(t, &spoe.Agent{
			Logger: slog.New(asking{}),
			Handler: byName{"m": func(_ context.Context, msg *spoe.Message, _ *spoe.Actions) error {
				msg.OnFailure(func(_ error, acts *spoe.Actions) { acts.SetBool(spoe.VarScopeTransaction, "failed", true) })
				return exiting{}
			}},
		})
		for range 3 {
			assert.Equal(t, "txn.failed=true", h.Ask("m").String())
		}
		_, err := h.Dial(spoetest.DefaultHello()).Conn().Write([]byte("GET / HTTP/1.1\r\n\r\n"))
		assert.NoError(t, err)
		assert.Equal(t, "txn.failed=true", h.Ask("m").String())
	})
}

package router_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// TestMistyped: an argument of a type that its field never takes costs no verdict. The
// log has one line for each field of each route, without the value.
func TestMistyped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type in struct {
			Port     int    `spoe:"port"`
			Host     string `spoe:"host"`
			N        int8   `spoe:"n"`
			Problems codec.Problems
		}
		type out struct {
			Called   bool   `spoe:"called"`
			Problems string `spoe:"problems,omitempty"`
		}
		var log bytes.Buffer
		r := &router.Router{Logger: slog.New(slog.NewTextHandler(&log, nil))}
		answer := func(_ context.Context, in in) (out, error) {
			o := out{Called: true}
			for _, p := range in.Problems {
				o.Problems += p.Arg + " "
			}
			return o, nil
		}
		r.Handle("a", answer)
		r.Handle("b", answer)
		haproxy := spoetest.New(t, r)
		for range 3 {
			v := haproxy.Ask("a", spoetest.Arg("port", "secret"), spoetest.Arg("n", 1000))
			assert.Equal(t, "txn.called=true txn.problems=port n ", v.String())
		}
		haproxy.Ask("a", spoetest.Arg("host", true), spoetest.Arg("port", true))
		haproxy.Ask("b", spoetest.Arg("port", "secret"))
		synctest.Wait()
		lines := strings.Split(strings.TrimSpace(log.String()), "\n")
		assert.Len(t, lines, 3)
		for _, want := range []string{`message=a argument=port position=-1 type=STRING field=Port field_type=int`, `message=a argument=host position=-1 type=BOOL`, `message=b argument=port`} {
			i := slices.IndexFunc(lines, func(line string) bool { return strings.Contains(line, want) })
			if assert.GreaterOrEqual(t, i, 0, want) {
				assert.Contains(t, lines[i], "level=WARN")
			}
		}
		assert.NotContains(t, log.String(), "secret")
		assert.NotContains(t, log.String(), "argument=n ", "a value that does not fit is the visitor's")
	})
}

// TestSecretsStayInside: the text of a binding error that reaches HAProxy, or a log, has
// nothing of the value.
func TestSecretsStayInside(t *testing.T) {
	r := router.New()
	r.ErrorVar(spoe.VarScopeTransaction, "error")
	r.Observe("m", func(context.Context, struct {
		H map[string]string `spoe:"h,json,strict"`
	}) error {
		return nil
	})
	got := spoetest.New(t, r).Ask("m", spoetest.Arg("h", "Cookie: session=hunter2")).Str("txn.error")
	assert.Contains(t, got, `argument "h" is a STRING of 23 bytes`)
	assert.NotContains(t, got, "hunter2")
	assert.NotContains(t, got, "Cookie")
}

// TestMistypedDefaultLogger: without a Logger the warning goes to slog.Default().
func TestMistypedDefaultLogger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		old := slog.Default()
		t.Cleanup(func() { slog.SetDefault(old) })
		slog.SetDefault(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn})))
		r := router.New()
		r.Observe("m", func(context.Context, struct {
			N int `spoe:"n"`
		}) error {
			return nil
		})
		spoetest.New(t, r).Ask("m", spoetest.Arg("n", "x"))
		synctest.Wait()
		assert.Contains(t, log.String(), "message=m argument=n")
	})
}

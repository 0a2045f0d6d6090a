package spoe_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/internal/lockedbuffer"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// The agent logs at level DEBUG that HAProxy closed a connection. NOTIFYs in flight make it
// a warning with their number.
func TestEndsAreLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := new(lockedbuffer.Buffer)
		h := spoetest.NewAgent(t, &spoe.Agent{
			Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
			Handler: spoe.HandlerFunc(func(ctx context.Context, _ *spoe.Message, _ *spoe.Actions) error {
				<-ctx.Done()
				return nil
			}),
		})
		line := func(text string) string {
			synctest.Wait()
			for l := range strings.Lines(log.String()) {
				if strings.Contains(l, text) {
					return l
				}
			}
			return ""
		}
		require.NoError(t, h.Dial(spoetest.DefaultHello()).Close())
		assert.Contains(t, line("connection ended"), "level=DEBUG")
		assert.Empty(t, line("in flight"))

		c := h.Dial(spoetest.DefaultHello())
		for range 2 {
			_, err := c.Notify(t.Context(), spoetest.Msg("m"))
			require.NoError(t, err)
		}
		synctest.Wait()
		require.NoError(t, c.Close())
		left := line("NOTIFYs in flight")
		assert.Contains(t, left, "level=WARN")
		assert.Contains(t, left, "in_flight=2")
	})
}

// An error of a handler is a warning, a panic is an error.
func TestFailuresAreLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := new(lockedbuffer.Buffer)
		h := spoetest.NewAgent(t, &spoe.Agent{Logger: slog.New(slog.NewTextHandler(log, nil)), Handler: byName{
			"fail":  func(context.Context, *spoe.Message, *spoe.Actions) error { return errors.New("on purpose") },
			"panic": func(context.Context, *spoe.Message, *spoe.Actions) error { panic("on purpose") },
		}})
		for name, level := range map[string]string{"fail": "WARN", "panic": "ERROR"} {
			h.Ask(name)
			synctest.Wait()
			n := 0
			for l := range strings.Lines(log.String()) {
				if strings.Contains(l, "message="+name+" ") {
					n++
					assert.Contains(t, l, "level="+level)
				}
			}
			assert.Equal(t, 1, n, name)
		}
	})
}

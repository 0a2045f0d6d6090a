package service

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/service/internal/conf"
)

// closer counts itself in open until it is closed, for which it waits.
type closer struct {
	open   *atomic.Int64
	unused chan struct{}
}

func (c *closer) Close() error {
	<-c.unused
	c.open.Add(-1)
	return nil
}

// TestManyReloads: signals in quick succession keep a bounded number of replaced values
// open. Then a reload waits until the oldest is closed, and all signals meanwhile are one.
func TestManyReloads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signals, log := make(chan os.Signal), new(strings.Builder)
		p := &program[struct{}]{
			Agent: Agent[struct{}]{Name: "test"}, Process: Process{Reload: signals},
			spec: conf.New("test", "TEST_", &settings[struct{}]{Service: Settings{}.withDefaults()}),
			log:  slog.New(slog.NewTextHandler(log, nil)),
		}
		loaded, err := p.load()
		require.NoError(t, err)
		ctx, stop := context.WithCancel(t.Context())
		s := p.newSetup(ctx, newGeneration[struct{}](loaded), p.log)
		var open atomic.Int64
		unused := make(chan struct{})
		_, err = s.Derive(func(context.Context, *struct{}) (*closer, error) {
			open.Add(1)
			return &closer{&open, unused}, nil
		})
		require.NoError(t, err)
		r, err := p.newReloader(s)
		require.NoError(t, err)
		go r.run(ctx) // ends with ctx
		signal := func(n int) {
			for range n {
				signals <- os.Interrupt
				synctest.Wait()
			}
		}
		reloads := func() int { return strings.Count(log.String(), `msg="configuration reloaded"`) }

		signal(100)
		assert.Equal(t, maxRetired, reloads())
		assert.EqualValues(t, maxRetired+1, open.Load())
		assert.Equal(t, 1, strings.Count(log.String(), "reloaded later"))

		time.Sleep(2 * retireAfter)
		assert.Equal(t, maxRetired, reloads(), "the oldest is in use")

		close(unused)
		synctest.Wait()
		assert.Equal(t, maxRetired+1, reloads(), "100 signals are one reload")
		assert.EqualValues(t, 2, open.Load(), "the current one and the last before it")

		signal(maxRetired)
		assert.Equal(t, 2*maxRetired, reloads())
		assert.Equal(t, 2, strings.Count(log.String(), "reloaded later"), "each wait is logged")
		stop()
		synctest.Wait()
		s.state.close()
		assert.Zero(t, open.Load())
		time.Sleep(2 * retireAfter)
		assert.Zero(t, open.Load(), "each is closed once")
	})
}

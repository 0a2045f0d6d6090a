package service_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/service"
	"github.com/spoke-go/spoke/service/servicetest"
)

// table is a value that is made from the configuration.
type table struct{ closed chan struct{} }

func (t *table) Close() error { close(t.closed); return nil }

// A replaced value stays open for the handlers that have it, one that a failed reload
// made is closed at once, and the end closes all.
func TestDerivedValuesAreClosed(t *testing.T) {
	var mu sync.Mutex // guards made
	var made []*table
	at := func(i int) (closed bool) {
		mu.Lock()
		defer mu.Unlock()
		select {
		case <-made[i].closed:
			return true
		default:
			return false
		}
	}
	a := newAgent()
	a.Setup = func(_ context.Context, s *service.Setup[config]) error {
		_, err := s.Derive(func(context.Context, *config) (*table, error) {
			mu.Lock()
			defer mu.Unlock()
			made = append(made, &table{closed: make(chan struct{})})
			return made[len(made)-1], nil
		})
		if err != nil {
			return err
		}
		s.Router.Observe("ask", func(context.Context, struct{}) error { return nil }).Event(router.OnFrontendHTTPRequest)
		_, err = s.Derive(func(_ context.Context, c *config) (int, error) {
			if c.Reject {
				return 0, errors.New("refused")
			}
			return 1, nil
		})
		return err
	}
	file := filepath.Join(t.TempDir(), "agent.yaml")
	servicetest.WriteFile(t, file, "score: 1\n")
	r := servicetest.Start(t, a, "-config", file)
	r.Addr(t)
	r.Reload <- os.Interrupt
	r.Log.Wait(t, "configuration reloaded")
	assert.False(t, at(0), "a handler may have it still")
	servicetest.WriteFile(t, file, "reject: true\n")
	r.Reload <- os.Interrupt
	r.Log.Wait(t, "refused")
	assert.True(t, at(2), "no handler has seen it")
	assert.False(t, at(1))
	r.Stop()
	assert.Zero(t, <-r.Ended)
	assert.True(t, at(0) && at(1))
}

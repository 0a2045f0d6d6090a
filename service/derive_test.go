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
)

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
	write(t, file, "score: 1\n")
	r := start(t, a, "-config", file)
	r.addr(t)
	r.reload <- os.Interrupt
	r.log.wait(t, "configuration reloaded")
	assert.False(t, at(0), "a handler may have it still")
	write(t, file, "reject: true\n")
	r.reload <- os.Interrupt
	r.log.wait(t, "refused")
	assert.True(t, at(2), "no handler has seen it")
	assert.False(t, at(1))
	r.stop()
	assert.Zero(t, <-r.ended)
	assert.True(t, at(0) && at(1))
}

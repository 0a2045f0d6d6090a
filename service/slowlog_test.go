package service_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/service"
	"github.com/spoke-go/spoke/service/servicetest"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// gate is a standard error whose reader may stop reading.
type gate struct {
	*servicetest.Buffer
	mu     sync.Mutex // guards closed
	closed chan struct{}
}

func (g *gate) Write(p []byte) (int, error) {
	g.mu.Lock()
	closed := g.closed
	g.mu.Unlock()
	if closed != nil {
		<-closed
	}
	return g.Buffer.Write(p)
}

func (g *gate) set(closed chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = closed
}

// TestLogBlocks: a log whose reader does not read costs no verdict, though handlers write
// to it, and lines that waited are there afterwards.
func TestLogBlocks(t *testing.T) {
	log := &gate{Buffer: servicetest.NewBuffer()}
	agent := service.Agent[struct{}]{Name: "test-agent", Setup: func(_ context.Context, s *service.Setup[struct{}]) error {
		text := strings.Repeat("x", 1000)
		s.Router.Handle("ask", func(context.Context, struct{}) (answer, error) {
			s.Log.Info("asked", "text", text)
			return answer{Score: 1}, nil
		})
		return nil
	}}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan int, 1)
	go func() { // ends with ctx
		ended <- agent.Run(ctx, service.Process{Args: []string{"-listen", "127.0.0.1:0", "-admin-listen", "off", "-timeout", "20s"}, Stdout: log, Stderr: log})
	}()
	addr := log.Wait(t, `msg="spoe: listening" addr=(\S+)`)[1]
	closed := make(chan struct{})
	log.set(closed)
	read := sync.OnceFunc(func() { log.set(nil); close(closed) })
	defer read()
	haproxy, err := spoetest.Dial(t.Context(), "tcp", addr)
	require.NoError(t, err)
	defer haproxy.Close()
	const asked = 200
	for range asked {
		vars, err := haproxy.Ask(t.Context(), "ask")
		require.NoError(t, err)
		require.True(t, vars.Has("txn.score"), "an answer without a verdict")
	}
	read()
	stop()
	select {
	case status := <-ended:
		assert.Zero(t, status)
	case <-time.After(servicetest.Patience):
		t.Fatal("the agent has not ended")
	}
	assert.Equal(t, asked, strings.Count(log.String(), "msg=asked"))
}

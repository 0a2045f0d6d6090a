package service_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
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

// TestLogReaderEnds: an agent still runs if the reader of its log ended, if its disk is
// full and if its standard output and error are closed.
func TestLogReaderEnds(t *testing.T) {
	program := buildGuard(t)
	read, pipe, err := os.Pipe()
	require.NoError(t, err)
	require.NoError(t, read.Close())
	defer pipe.Close()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	require.NoError(t, err)
	defer full.Close()
	for name, tt := range map[string]struct {
		to       *os.File
		redirect string
	}{
		"pipe":   {to: pipe},
		"full":   {to: full},
		"closed": {redirect: " >&- 2>&-"},
	} {
		t.Run(name, func(t *testing.T) {
			socket := filepath.Join(t.TempDir(), "agent.sock")
			cmd := exec.Command("sh", "-c", `exec "$0" -listen "unix:$1" -admin-listen off`+tt.redirect, program, socket)
			cmd.Stdout, cmd.Stderr = tt.to, tt.to
			require.NoError(t, cmd.Start())
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }() // ends with the process
			defer cmd.Process.Kill()
			require.Eventually(t, func() bool {
				_, err := spoetest.HealthCheck(t.Context(), "unix", socket)
				return err == nil || len(ended) > 0
			}, servicetest.Patience, 10*time.Millisecond)
			for range 3 { // each signal makes a line
				require.NoError(t, cmd.Process.Signal(syscall.SIGHUP))
				_, err := spoetest.HealthCheck(t.Context(), "unix", socket)
				require.NoError(t, err)
			}
			require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
			select {
			case err := <-ended:
				assert.NoError(t, err)
			case <-time.After(servicetest.Patience):
				t.Fatal("the agent has not ended")
			}
		})
	}
}

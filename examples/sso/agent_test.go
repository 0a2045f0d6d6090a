package main_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	main "github.com/spoke-go/spoke/examples/sso"
	"github.com/spoke-go/spoke/service/servicetest"
)

// patience bounds every wait; it is reached only where something is wrong.
const patience = 30 * time.Second

// clock is the agent's, and can be set.
type clock struct {
	mu  sync.Mutex // guards off
	off time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.off)
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.off += d
}

// reset makes the clock right again.
func (c *clock) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.off = 0
}

// agent is the whole program, in this process.
type agent struct {
	*servicetest.Agent
	addr, pages string
	config      string // the file's path
	clock       *clock
}

// startAgent runs the program with a configuration and returns when it is ready.
func startAgent(t *testing.T, config string, flags ...string) *agent {
	t.Helper()
	a := &agent{config: filepath.Join(t.TempDir(), "agent.yaml"), clock: new(clock)}
	require.NoError(t, os.WriteFile(a.config, []byte(config), 0o600))
	a.Agent = servicetest.Start(t, main.Agent(a.clock.now), append([]string{"-config", a.config, "-pages-listen", "127.0.0.1:0",
		"-admin-listen", "off", "-timeout", "15s", "-shutdown-timeout", "500ms", "-log-all", "-log-level", "debug"}, flags...)...)
	a.addr = a.Addr(t)
	a.pages = a.Log.Wait(t, `msg=pages address=(\S+)`)[1]
	return a
}

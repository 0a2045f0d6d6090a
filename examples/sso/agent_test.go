package main_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	main "github.com/spoke-go/spoke/examples/sso"
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
	addr, pages string
	config      string // the file's path
	clock       *clock
	reload      chan os.Signal
	log         *buffer
	stop        context.CancelFunc
	ended       chan int // receives the exit status
}

var (
	readyLine = regexp.MustCompile(`msg=ready addresses=\[([^\]\s]+)\]`)
	pagesLine = regexp.MustCompile(`msg=pages address=(\S+)`)
)

// startAgent runs the program with a configuration and returns when it is ready.
func startAgent(t *testing.T, config string, args ...string) *agent {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	a := &agent{config: filepath.Join(t.TempDir(), "agent.yaml"), clock: new(clock), reload: make(chan os.Signal, 1), log: newBuffer(), stop: stop, ended: make(chan int, 1)}
	require.NoError(t, os.WriteFile(a.config, []byte(config), 0o600))
	args = append([]string{"-config", a.config, "-listen", "127.0.0.1:0", "-pages-listen", "127.0.0.1:0", "-admin-listen", "off",
		"-timeout", "15s", "-shutdown-timeout", "500ms", "-log-all", "-log-level", "debug"}, args...)
	var done sync.WaitGroup
	done.Go(func() { a.ended <- main.Run(ctx, a.clock.now, a.reload, args, nil, a.log, a.log) })
	t.Cleanup(func() {
		stop()
		done.Wait()
		if t.Failed() {
			t.Logf("the agent wrote:\n%s", a.log)
		}
	})
	a.addr = a.log.wait(t, readyLine)[1]
	a.pages = a.log.wait(t, pagesLine)[1]
	return a
}

// buffer takes what a program writes.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
	grew chan struct{} // closed and replaced at each write
}

func newBuffer() *buffer { return &buffer{grew: make(chan struct{})} }

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.grew)
	b.grew = make(chan struct{})
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// wait returns the first match of what is or will be written.
func (b *buffer) wait(t *testing.T, re *regexp.Regexp) []string {
	t.Helper()
	limit := time.After(patience)
	for {
		b.mu.Lock()
		m, grew := re.FindStringSubmatch(b.text.String()), b.grew
		b.mu.Unlock()
		if m != nil {
			return m
		}
		select {
		case <-grew:
		case <-limit:
			t.Fatalf("nothing matches %v in:\n%s", re, b)
		}
	}
}

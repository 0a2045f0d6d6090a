package main_test

import (
	"bytes"
	"context"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	main "github.com/spoke-go/spoke/examples/ip-reputation"
)

// patience bounds every wait; it is reached only where something is wrong.
const patience = 15 * time.Second

// agent is the whole program, in this process.
type agent struct {
	addr   string
	reload chan os.Signal
	log    *buffer            // standard error
	out    *buffer            // standard output
	stop   context.CancelFunc // what SIGTERM does
	ended  chan int           // receives the exit status
}

// startAgent runs the program and returns when it is ready. It is stopped with
// the test if it was not before.
func startAgent(t *testing.T, args ...string) *agent {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	a := &agent{reload: make(chan os.Signal, 1), log: newBuffer(), out: newBuffer(), stop: stop, ended: make(chan int, 1)}
	args = append([]string{"-listen", "127.0.0.1:0", "-admin-listen", "off", "-timeout", "5s", "-shutdown-timeout", "500ms", "-poll", "20ms"}, args...)
	var done sync.WaitGroup
	done.Go(func() { a.ended <- main.Run(ctx, a.reload, args, nil, a.out, a.log) })
	t.Cleanup(func() {
		stop()
		done.Wait()
		if t.Failed() {
			t.Logf("the agent wrote:\n%s", a.log)
		}
	})
	a.addr = a.log.wait(t, readyLine)[1]
	return a
}

var (
	readyLine = regexp.MustCompile(`msg=ready addresses=\[([^\]\s]+)\]`)
	adminLine = regexp.MustCompile(`msg=admin address=(\S+)`)
)

// admin is the URL of -admin-listen.
func (a *agent) admin(t *testing.T) string {
	t.Helper()
	return "http://" + a.log.wait(t, adminLine)[1]
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

func writeList(t *testing.T, path string, lines ...string) {
	t.Helper()
	// Into place by rename, as a careful job does.
	require.NoError(t, os.WriteFile(path+".new", []byte(strings.Join(lines, "\n")+"\n"), 0o600))
	require.NoError(t, os.Rename(path+".new", path))
}

package haproxytest

import (
	"errors"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/spoke-go/spoke/internal/child"
	"github.com/spoke-go/spoke/internal/lockedbuffer"
)

// The longest times that a test waits. They are generous, because a machine that runs
// several tests under the race detector is slow.
const (
	startLimit   = time.Minute
	waitLimit    = 30 * time.Second
	requestLimit = time.Minute
)

// HAProxy is a real HAProxy that runs for one test, on 127.0.0.1 only. Several goroutines
// may call its methods at once. Only the test's own goroutine may call the methods that can
// fail the test (Get, Command, Reload, Stop, Wait…), and Reload, Stop and Close one at a
// time.
type HAProxy struct {
	URL    string // http://127.0.0.1:port of the address named "http", else of the first one in Config
	Dir    string // of haproxy.cfg and all other files; HAProxy runs in it
	Binary Binary

	tb     testing.TB
	out    lockedbuffer.Buffer
	ports  ports
	client *http.Client

	procs   []*child.Process // the last one is serving, those before it are draining after a reload
	stopped bool             // by Stop: no process is expected to run
}

// Start starts bin with cfg and returns when it serves. It ends with the
// test, with nothing left behind; where the test failed, its output is in the
// test's log.
func Start(tb testing.TB, bin Binary, cfg Config) *HAProxy {
	tb.Helper()
	h := prepare(tb, bin)
	if err := h.start(cfg); err != nil {
		tb.Fatalf("start %v: %v", bin, err)
	}
	return h
}

// Check asks bin, with `haproxy -c`, whether cfg is valid. The error names the mistakes;
// warnings are complaints with which it would start all the same.
func Check(tb testing.TB, bin Binary, cfg Config) (warnings string, err error) {
	tb.Helper()
	h := prepare(tb, bin)
	env, err := cfg.render(h.Dir, bin, &h.ports)
	if err != nil {
		tb.Fatal(err)
	}
	return h.check(cfg, env)
}

// prepare makes the files that a HAProxy needs and cleans them up at the test's end.
func prepare(tb testing.TB, bin Binary) *HAProxy {
	tb.Helper()
	// Not tb.TempDir: the name of a unix socket has at most some 100 bytes, and
	// names of tests are long.
	dir, err := os.MkdirTemp("", "spoetest-")
	if err != nil {
		tb.Fatal(err)
	}
	h := &HAProxy{
		Dir:    dir,
		Binary: bin,
		tb:     tb,
		// A transport of its own: keep-alive connections end with the test.
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: requestLimit},
	}
	tb.Cleanup(func() {
		h.Close()
		if text := h.Output(); tb.Failed() && text != "" {
			tb.Logf("%v wrote:\n%s", bin, text)
		}
		if err := errors.Join(h.ports.close(), os.RemoveAll(dir)); err != nil {
			tb.Error(err)
		}
	})
	return h
}

// Addr is the address that a template's {{addr "name"}} stands for.
func (h *HAProxy) Addr(name string) string {
	h.tb.Helper()
	addr, ok := h.ports.byName[name]
	if !ok {
		h.tb.Fatalf(`the configuration has no {{addr %q}}`, name)
	}
	return addr
}

// Reload has a new HAProxy process with cfg take over the addresses, as
// `systemctl reload haproxy` does, and returns when it serves. The old process
// ends when its connections have. An invalid cfg fails the test.
func (h *HAProxy) Reload(cfg Config) {
	h.tb.Helper()
	if err := h.start(cfg); err != nil {
		h.tb.Fatalf("reload %v: %v", h.Binary, err)
	}
}

// Stop lets HAProxy finish its requests, as `systemctl stop` does not, and returns when
// it has ended. It takes no new connections meanwhile.
func (h *HAProxy) Stop() {
	h.tb.Helper()
	h.client.CloseIdleConnections()
	limit := time.After(waitLimit)
	h.serving().Signal(softStop) // the reload has told earlier processes to finish
	for _, p := range h.procs {
		select {
		case <-p.Ended:
		case <-limit:
			h.tb.Fatalf("%v has not finished within %v", h.Binary, waitLimit)
		}
	}
	h.stopped = true
}

// Close ends HAProxy at once, whatever it is doing. It is called at the end of
// the test. A HAProxy that had ended by itself before fails the test: it
// crashed.
func (h *HAProxy) Close() {
	h.tb.Helper()
	h.client.CloseIdleConnections()
	for i, p := range h.procs {
		draining := h.stopped || i < len(h.procs)-1
		if p.HasEnded() && (p.Err != nil || !draining) && !h.tb.Failed() {
			h.tb.Errorf("%v ended by itself: %v", h.Binary, p.Err)
		}
		p.Kill()
	}
	h.procs = nil
}

package main_test

import (
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

// A mirror that takes requests and never answers costs the visitors nothing: all are
// answered while the copies hang, and the copies that do not fit are counted. `make
// mirror-copies` shows the times.
func TestMirrorHangs(t *testing.T) {
	const workers, queue = 4, 10
	n := requests(t) / 2
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		release := make(chan struct{})
		origin, healthy := newSite(t, nil), newSite(t, nil)
		hanging := newSite(t, func(http.ResponseWriter, *http.Request) { <-release })
		defer close(release)
		for _, mode := range []struct {
			name  string
			flags []string
		}{
			{"no copies", nil},
			{"a mirror that answers", []string{"-url", healthy.URL, "-queue", strconv.Itoa(n)}},
			{"a mirror that hangs", []string{"-url", hanging.URL, "-workers", strconv.Itoa(workers), "-queue", strconv.Itoa(queue), "-copy-timeout", "10m"}},
		} {
			a := startAgent(t, append([]string{"-shutdown-timeout", "100ms"}, mode.flags...)...)
			h := startHAProxy(t, bin, a, origin)
			times := askAll(t, h, n)
			if mode.name == "a mirror that hangs" {
				a.Scrape(t, `spop_server_dropped_messages_total{mirror_target="`+hanging.addr()+
					`",rpc_method="mirror",rpc_system_name="spop",spop_drop_reason="queue_full"} `+strconv.Itoa(n-workers-queue))
			}
			t.Logf("%v, %-22s %d requests: p50 %v, p99 %v, slowest %v", bin, mode.name+":", n, times[n/2], times[n*99/100], times[n-1])
			assert.NotRegexp(t, `spoe_error=\d`, h.Output())
		}
		assert.Len(t, origin.all()["hang"], 3*n)
		healthy.waitForCopies(t, "hang", n)
		hanging.waitForCopies(t, "hang", workers) // the others wait for a worker
	})
}

// askAll sends n requests, four at once, and returns how long they took, sorted. Each
// has to be answered.
func askAll(t *testing.T, h *haproxytest.HAProxy, n int) []time.Duration {
	t.Helper()
	var mu sync.Mutex // guards times
	var times []time.Duration
	var running sync.WaitGroup
	jobs := make(chan struct{})
	for range 4 {
		running.Go(func() { // ends when jobs is closed
			for range jobs {
				begun := time.Now()
				status := h.Status("/", "X-Id", "hang")
				mu.Lock()
				times = append(times, time.Since(begun))
				mu.Unlock()
				assert.Equal(t, http.StatusOK, status)
			}
		})
	}
	for range n {
		jobs <- struct{}{}
	}
	close(jobs)
	running.Wait()
	require.Len(t, times, n)
	slices.Sort(times)
	return times
}

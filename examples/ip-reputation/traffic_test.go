package main_test

import (
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

// clients is how many send requests under traffic.
const clients = 4

// underTraffic has the clients call request over and over until the returned
// func is called, which lets them do some more.
func underTraffic(t *testing.T, request func()) (stop func()) {
	t.Helper()
	var stopped atomic.Bool
	var served atomic.Int64
	var running sync.WaitGroup
	for range clients {
		running.Go(func() {
			for !stopped.Load() && !t.Failed() {
				request()
				served.Add(1)
			}
		})
	}
	var once sync.Once
	stop = func() {
		once.Do(func() {
			for n := served.Load(); served.Load() < n+50 && !t.Failed(); {
				time.Sleep(10 * time.Millisecond)
			}
			stopped.Store(true)
			running.Wait()
			t.Logf("%d rounds of requests", served.Load())
		})
	}
	t.Cleanup(stop)
	return stop
}

// statusOf requests on behalf of an address; 0 stands for no response. Unlike
// HAProxy.Get it may be called by any goroutine.
func statusOf(h *haproxytest.HAProxy, addr string) int {
	req, err := http.NewRequest(http.MethodGet, h.URL, nil)
	if err != nil {
		return 0
	}
	req.Header.Set("X-Forwarded-For", addr)
	resp, err := h.Client().Do(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return 0
	}
	return resp.StatusCode
}

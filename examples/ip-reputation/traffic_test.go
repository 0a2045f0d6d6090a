package main_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// clients is the number of clients that send requests under traffic.
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

package e2e_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/spoke-go/spoke/internal/freeaddr"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/spoe"
)

// TestReloads reloads HAProxy under load: to the agent that is a lot of
// connections that end and begin, none of them worth a complaint, and nothing
// is left of them.
func TestReloads(t *testing.T) {
	n := countFrom(t, "SPOKE_RELOADS", 3)
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		addr := freeaddr.Find(t)
		cfg := tapped(t, haproxytest.Config{
			Config: loaded,
			Files:  map[string]string{"spoe.conf": spoeConf(quietly+"messages ip-rep", ipRep)},
			Data:   loadedData{Checks: true, Agents: map[string]string{"one": addr}},
		})
		goroutines := runtime.NumGoroutine() // the tap's goroutines, if there is one, stay until the test's end
		sa := &spoe.Agent{Handler: decisions(0)}
		a := serve(t, sa, addr, func() error { return sa.ListenAndServe(addr) })
		h := haproxytest.Start(t, bin, cfg)
		l := startLoad(t, h.Addr("http"), 16)
		for range n {
			time.Sleep(200 * time.Millisecond)
			h.Reload(cfg)
		}
		time.Sleep(200 * time.Millisecond)
		o := l.end()
		h.Stop() // returns when the processes before it end, too
		s := a.settled(t)
		t.Logf("%d reloads, %d connections: %v", n, s.ConnectionsTotal, o)
		assert.Positive(t, o.Responses)
		assert.Empty(t, o.Errors, "requests with an SPOE error")
		assert.Zero(t, o.Undecided)
		assert.Zero(t, o.Broken)

		a.waitConnections(t, 0)
		assert.Empty(t, a.logs.complaints())
		h.Close()
		a.end(t) // lets idle workers go, which stay for some seconds otherwise
		assert.True(t, goroutinesBackTo(goroutines), "%d goroutines, %d before", runtime.NumGoroutine(), goroutines)
	})
}

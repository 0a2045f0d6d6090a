package e2e_test

import (
	"os"
	"testing"
	"time"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestLoad makes HAProxy ask one agent as fast as 64 clients can: each request
// gets its decision, and the right one.
func TestLoad(t *testing.T) {
	duration := time.Second
	if text := os.Getenv("SPOKE_SOAK"); text != "" {
		var err error
		duration, err = time.ParseDuration(text)
		require.NoError(t, err, "SPOKE_SOAK")
	}
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		a := startHandler(t, decisions(0))
		h := startHAProxy(t, bin, haproxytest.Config{
			Config: loaded,
			Files:  map[string]string{"spoe.conf": spoeConf(quietly+"messages ip-rep", ipRep)},
			Data:   loadedData{Checks: true, Agents: map[string]string{"one": a.addr}},
		})
		l := startLoad(t, h.Addr("http"), 64)
		time.Sleep(duration)
		o := l.end()
		s := a.settled(t)
		t.Logf("%v over %d connections: %v", duration, s.ConnectionsTotal-s.HealthChecks, o)
		assert.Positive(t, o.Responses)
		assert.Empty(t, o.Errors, "requests with an SPOE error")
		assert.Zero(t, o.Undecided)
		assert.Zero(t, o.Broken)
		assert.EqualValues(t, o.Responses, s.Notifies)
		assert.Empty(t, a.logs.complaints())
	})
}

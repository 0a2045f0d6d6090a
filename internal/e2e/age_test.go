package e2e_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/internal/freeaddr"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

// TestConnectionAge makes an agent close its connections at an age of 2 s, at quiet
// moments. A NOTIFY that HAProxy sends at the moment of the DISCONNECT is lost;
// docs/deployment.md says how many these are.
func TestConnectionAge(t *testing.T) {
	const clients = 16
	span := 5 * time.Second
	if n := countFrom(t, "SPOKE_AGE_SECONDS", 5); n > 5 {
		span = time.Duration(n) * time.Second
	}
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		c := child{addr: freeaddr.Find(t), fall: 2, age: 2 * time.Second}
		startAgent(t, c)
		h := startHAProxy(t, bin, haproxytest.Config{
			Config: loaded,
			Files:  map[string]string{"spoe.conf": spoeConf(quietly+"messages ip-rep", ipRep)},
			Data:   loadedData{Agents: map[string]string{"one": c.addr}},
		})
		l := startPausingLoad(t, h.Addr("http"), clients)
		time.Sleep(span)
		o := l.end()
		t.Logf("in %v: %v", span, o)
		assert.Positive(t, o.Responses)
		assert.Zero(t, o.Undecided)
		assert.Zero(t, o.Broken)
		assert.LessOrEqual(t, o.failed(), max(o.Responses/200, clients), "more than a NOTIFY now and then")
	})
}

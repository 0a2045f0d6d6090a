package main_test

import (
	"encoding/hex"
	"net/http"
	"testing"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The shipped configuration hands a request's trace on to the agent, whose span
// ends up in the same trace; a request without one begins its own.
func TestTraceThroughHAProxy(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		c := startCollector(t)
		a := startProgram(t, c.env())
		h := haproxytest.Start(t, bin, patient(t, shipped(t, a.Addr(t))))
		waitUp(t, h)
		resp := h.Get("/", "X-Forwarded-For", "192.0.2.66", "traceparent", traceparent)
		assert.Equal(t, http.StatusForbidden, resp.Status)
		resp = h.Get("/", "X-Forwarded-For", "198.51.100.200")
		assert.Equal(t, http.StatusOK, resp.Status)
		a.End(t)

		spans, _, _ := c.got()
		require.Len(t, spans, 2)
		assert.Equal(t, callerTrace, hex.EncodeToString(spans[0].GetTraceId()))
		assert.Equal(t, callerSpan, hex.EncodeToString(spans[0].GetParentSpanId()))
		assert.Equal(t, "192.0.2.66", attributes(spans[0].GetAttributes())["client.address"])
		assert.Empty(t, spans[1].GetParentSpanId())
		assert.NotEqual(t, spans[0].GetTraceId(), spans[1].GetTraceId())
	})
}

// A stranger's traceparent must not get to the agent.
func TestStrangersTraceparent(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		c := startCollector(t)
		a := startProgram(t, c.env())
		h := haproxytest.Start(t, bin, patient(t, shipped(t, a.Addr(t),
			"acl from_our_proxy src 127.0.0.0/8 ::1", "acl from_our_proxy src 10.0.0.0/8")))
		waitUp(t, h)
		h.Get("/", "traceparent", traceparent)
		a.End(t)
		spans, _, _ := c.got()
		require.Len(t, spans, 1)
		assert.Empty(t, spans[0].GetParentSpanId())
	})
}

package service_test

import (
	"bufio"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/service"
	"github.com/spoke-go/spoke/service/servicetest"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// A sample of the live tail has the id of the span that the program made, not only
// of one that HAProxy sent.
func TestPageHasTraceIDs(t *testing.T) {
	t.Setenv("OTEL_TRACES_EXPORTER", "console")
	r := servicetest.Start(t, newAgent())
	r.Addr(t)
	resp, err := http.Get(r.Admin(t) + "/inspect/events")
	require.NoError(t, err)
	defer http.DefaultClient.CloseIdleConnections()
	defer resp.Body.Close()
	events := bufio.NewScanner(resp.Body)
	require.True(t, events.Scan(), "the page counts from its first event on")

	haproxy, err := spoetest.Dial(t.Context(), "tcp", r.Addr(t))
	require.NoError(t, err)
	defer haproxy.Close()
	_, err = haproxy.Ask(t.Context(), "ask")
	require.NoError(t, err)
	for events.Scan() && events.Text() != "event: sample" {
	}
	require.True(t, events.Scan(), events.Err())
	assert.Regexp(t, `"trace":"[0-9a-f]{32}"`, events.Text())
	traceID, _, _ := strings.Cut(strings.Split(events.Text(), `"trace":"`)[1], `"`)
	r.Stop()
	<-r.Ended
	assert.Contains(t, r.Out.String(), traceID, "the exported span")
}

// The page says what does not fit in HAProxy's files, or how it would get to see them.
func TestPageChecksHAProxy(t *testing.T) {
	dir := t.TempDir()
	config, spoeConf := filepath.Join(dir, "haproxy.cfg"), filepath.Join(dir, "spoe.conf")
	_, written, _ := servicetest.Once(t, newAgent(), nil, "-print-config=spoe")
	_, backend, _ := servicetest.Once(t, newAgent(), nil, "-print-config=backend")
	servicetest.WriteFile(t, spoeConf, strings.ReplaceAll(written, "spoe-message ask", "spoe-message aks"))
	servicetest.WriteFile(t, config, "frontend www\n    bind :80\n    filter spoe engine test-agent config "+spoeConf+"\n"+backend)

	r := servicetest.Start(t, newAgent(), "-haproxy-config", config)
	r.Addr(t)
	_, page := servicetest.Get(t, r.Admin(t)+"/inspect/config")
	assert.Contains(t, page, `"checked":true`)
	assert.Regexp(t, `"findings":\["[^"]*spoe.conf:\d+: .*To fix it:`, page)

	require.NoError(t, os.Remove(config))
	_, page = servicetest.Get(t, r.Admin(t)+"/inspect/config")
	assert.Contains(t, page, `"errors":["the check: `)

	r = servicetest.Start(t, newAgent())
	r.Addr(t)
	_, page = servicetest.Get(t, r.Admin(t)+"/inspect/config")
	assert.Contains(t, page, `"checked":false`)
	assert.Contains(t, page, `start the agent with -haproxy-config haproxy.cfg`)
}

// A browser that asks for the page while Setup still registers routes gets 503.
func TestPageDuringSetup(t *testing.T) {
	a, goOn := newAgent(), make(chan struct{})
	setup := a.Setup
	a.Setup = func(ctx context.Context, s *service.Setup[config]) error {
		select {
		case <-goOn:
			return setup(ctx, s)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	r := servicetest.Start(t, a)
	status, text := servicetest.Get(t, r.Admin(t)+"/inspect/config")
	assert.Equal(t, http.StatusServiceUnavailable, status)
	assert.Equal(t, "the agent is starting\n", text)
	close(goOn)
	r.Addr(t)
	status, text = servicetest.Get(t, r.Admin(t)+"/inspect/config")
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, text, `"message":"ask"`)
}

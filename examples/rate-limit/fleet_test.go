//go:build unix

package main_test

import (
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/examples/rate-limit/internal/redistest"
	"github.com/spoke-go/spoke/internal/recipes"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

// failClosed makes HAProxy refuse requests without a verdict, and log only these and
// requests that the agent took a few ms for.
func failClosed() []string {
	const open = "#http-request deny deny_status 503 if"
	const quiet = "http-request set-log-level silent unless { var(txn.ratelimit.process_time) -m int gt 3 } || { var(txn.ratelimit.error) -m found }"
	return []string{open, quiet + "\n    " + open[1:]}
}

// slowest returns how long the slowest answer took, in ms. On a machine that is busy with
// other tests that says more of these.
func slowest(t *testing.T, h *haproxytest.HAProxy) (slowest int) {
	t.Helper()
	for _, m := range regexp.MustCompile(`spoe_ms=(\d+)`).FindAllStringSubmatch(h.Output(), -1) {
		ms, err := strconv.Atoi(m[1])
		require.NoError(t, err)
		slowest = max(slowest, ms)
	}
	return slowest
}

// flood has wrk send as many requests as it can on 32 connections, and returns how many
// were answered and how many of them passed. All others got a 429.
func flood(t *testing.T, h *haproxytest.HAProxy, seconds int) (answered, passed int) {
	t.Helper()
	wrk, err := exec.LookPath("wrk")
	require.NoError(t, err, "apt-get install wrk")
	out, err := exec.Command(wrk, "-t1", "-c32", fmt.Sprintf("-d%ds", seconds), "--timeout", "20s", h.URL).CombinedOutput()
	require.NoError(t, err, string(out))
	assert.NotContains(t, string(out), "Socket errors", "a request without an answer")
	number := func(expression string) int {
		m := regexp.MustCompile(expression).FindSubmatch(out)
		if m == nil {
			return 0
		}
		n, err := strconv.Atoi(string(m[1]))
		require.NoError(t, err)
		return n
	}
	answered = number(`(\d+) requests in`)
	passed = answered - number(`Non-2xx or 3xx responses: (\d+)`)
	t.Logf("%d requests in %d s, %d of them passed", answered, seconds, passed)
	return answered, passed
}

// startAgents starts three agents with the same configuration.
func startAgents(t *testing.T, config string, args ...string) []*agent {
	t.Helper()
	return []*agent{startAgent(t, config, args...), startAgent(t, config, args...), startAgent(t, config, args...)}
}

// Three agents let as much through as one limit says: no more, and no less than 1 % of it
// over the 30 s that make rate-limit-long sets. In a short time, a machine that is busy
// with other tests sends too few requests.
func TestFleetIsExact(t *testing.T) {
	seconds := fromEnvironment(t, "SPOKE_RATELIMIT_SECONDS", 2)
	rate, burst, least := 60, 180, 0.8 // a machine that stands still for three seconds costs nothing
	if seconds >= 30 {
		rate, burst, least = 300, 900, 0.99
	}
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		agents := startAgents(t, fmt.Sprintf("limits: [{name: site, rate: %d, burst: %d}]", rate, burst), "-redis-address", redistest.Start(t).Addr)
		h := startHAProxy(t, bin, agents, failClosed()...)
		begun := time.Now()
		_, passed := flood(t, h, seconds)
		atMost := float64(burst) + float64(rate)*time.Since(begun).Seconds()
		want := float64(burst + rate*seconds)
		t.Logf("%.2f %% off; the slowest answer took %d ms", 100*(float64(passed)/want-1), slowest(t, h))
		assert.LessOrEqual(t, float64(passed), atMost)
		assert.GreaterOrEqual(t, float64(passed), least*want)
		assert.NotRegexp(t, `spoe_error=\d`, h.Output())
		text := ""
		for _, a := range agents {
			text += scrape(t, a)
		}
		assert.Regexp(t, `ratelimit_decisions_total\{.*ratelimit_source="cache".*\} [1-9]`, text, "refused without Redis")
	})
}

// Redis is killed and started again while requests come, ten times with make
// rate-limit-long: each request is answered. While Redis is gone each agent counts a
// third.
func TestRedisIsKilled(t *testing.T) {
	kills := fromEnvironment(t, "SPOKE_RATELIMIT_KILLS", 2)
	const deadline = 10 // ms
	margin := 5000      // ms, for a machine that is busy with other tests
	if kills >= 10 {
		margin = 1000 // the load generator, HAProxy, three agents and Redis share the cores
	}
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		server := redistest.Start(t)
		agents := startAgents(t, "agents: 3\nlimits: [{name: site, rate: 300}]", "-redis-address", server.Addr, "-redis-deadline", strconv.Itoa(deadline)+"ms")
		h := startHAProxy(t, bin, agents, failClosed()...)
		flooded := make(chan struct{})
		go func() { // ends by itself; waited for below
			defer close(flooded)
			flood(t, h, kills)
		}()
		for range kills {
			time.Sleep(300 * time.Millisecond)
			server.Kill()
			recipes.Until(t, func() bool {
				h.Get("/") // the flood may be over on a busy machine
				return slices.ContainsFunc(agents, func(a *agent) bool { return strings.Contains(a.Output(), "Redis is slow or gone") })
			}, func() string { return "no agent sees that Redis is gone" })
			time.Sleep(500 * time.Millisecond)
			server.Restart()
		}
		<-flooded
		// HAProxy need not have asked each of them.
		for _, line := range []string{"Redis is slow or gone", "Redis answers again"} {
			recipes.Until(t, func() bool {
				return slices.ContainsFunc(agents, func(a *agent) bool { return strings.Contains(a.Output(), line) })
			}, func() string { return "no agent says " + line })
		}
		assert.NotRegexp(t, `status=503|spoe_error=\d`, h.Output(), "each request has a verdict")
		most := slowest(t, h)
		t.Logf("the slowest answer took %d ms", most)
		assert.LessOrEqual(t, most, deadline+margin, "ms, the deadline and a margin")
	})
}

// Without Redis the agents go on as their settings say, log so once, and come back by
// themselves.
func TestRedisIsGone(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		for mode, want := range map[string]struct {
			passed, refused int
			source          string
		}{
			"local":  {5, 429, "local"}, // a third of the burst
			"open":   {20, 0, "open"},
			"closed": {0, 503, "closed"},
		} {
			t.Run(mode, func(t *testing.T) {
				server := redistest.Start(t)
				a := startAgent(t, "limits: [{name: address, by: [ip], rate: 15, period: 10h}]\nagents: 3\ngone: "+mode, "-redis-address", server.Addr)
				h := startHAProxy(t, bin, []*agent{a})
				server.Kill()
				recipes.Until(t, func() bool {
					h.Get("/", "X-Forwarded-For", "192.0.2.1")
					return strings.Contains(scrape(t, a), "\nratelimit_redis_gone 1\n")
				}, func() string { return "the agent does not see that Redis is gone" })
				passed := 0
				for range 20 {
					resp := h.Get("/", "X-Forwarded-For", "192.0.2.2")
					if resp.Status == 200 {
						passed++
						continue
					}
					require.Equal(t, want.refused, resp.Status)
					assert.NotEmpty(t, resp.Header.Get("Retry-After"))
				}
				assert.Equal(t, want.passed, passed)
				h.WaitLog("source=" + want.source)
				server.Restart()
				recipes.Until(t, func() bool { return strings.Contains(scrape(t, a), "\nratelimit_redis_gone 0\n") },
					func() string { return "the agent does not come back to Redis" })
				assert.Equal(t, 200, h.Get("/", "X-Forwarded-For", "192.0.2.3").Status)
				h.WaitLog("source=redis")
				assert.Equal(t, 1, strings.Count(a.Output(), "Redis is slow or gone"))
				assert.Equal(t, 1, strings.Count(a.Output(), "Redis answers again"))
				assert.Regexp(t, `ratelimit_redis_changes_total\{.*ratelimit_redis_state="gone".*\} 1\n`, scrape(t, a))
			})
		}
	})
}

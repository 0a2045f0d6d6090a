//go:build unix

package main_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/examples/rate-limit/internal/redistest"
	"github.com/spoke-go/spoke/internal/recipes"
)

var figures = flag.String("figures", "", "measure for longer, and write the figures into this `file`")

// many lets all through, and kept remembers keys for as long as possible; flooded lets one
// request through.
const (
	many    = "limits: [{name: address, by: [ip], rate: 1000000, period: 1h}]"
	kept    = "limits: [{name: address, by: [ip], rate: 1000, period: 8784h}]"
	flooded = "limits: [{name: address, by: [ip], rate: 1, period: 24h}]"
)

// load is the result of requests with so many in flight.
type load struct {
	Notifies uint64
	Rate     float64
	Empty    uint64
	Latency  struct {
		P50 time.Duration `json:"p50"`
		P99 time.Duration `json:"p99"`
	} `json:"latency_ns"`

	cpu float64 // of the agent for one request, in µs
}

// put puts load on an agent, with questions about so many addresses in turn.
func put(t *testing.T, a *agent, addresses, connections int, args ...string) (l load) {
	t.Helper()
	var questions strings.Builder
	for i := range addresses {
		fmt.Fprintf(&questions, "rate-limit ip=10.%d.%d.%d\n", i>>16, i>>8&255, i&255)
	}
	file := filepath.Join(t.TempDir(), "questions")
	require.NoError(t, os.WriteFile(file, []byte(questions.String()), 0o600))
	before := metric(t, a, "process_cpu_seconds_total")
	args = append([]string{"bench", a.Addr, "--file", file, "--json", "--warm-up", "0s", "--duration", "10m", "--connections", strconv.Itoa(connections)}, args...)
	out, err := exec.Command(recipes.Module(t, "cmd/spoectl"), args...).Output()
	require.NoError(t, err, string(out))
	require.NoError(t, json.Unmarshal(out, &l))
	require.NotZero(t, l.Notifies)
	assert.Zero(t, l.Empty)
	l.cpu = (metric(t, a, "process_cpu_seconds_total") - before) * 1e6 / float64(l.Notifies)
	return l
}

// metric returns the sum of a metric of an agent.
func metric(t *testing.T, a *agent, name string) (sum float64) {
	t.Helper()
	for _, m := range regexp.MustCompile(`(?m)^`+name+`(?:\{.*\})? (\S+)$`).FindAllStringSubmatch(scrape(t, a), -1) {
		n, err := strconv.ParseFloat(m[1], 64)
		require.NoError(t, err)
		sum += n
	}
	return sum
}

// memory is the memory that a Redis uses, in bytes.
func memory(t *testing.T, server *redistest.Server) float64 {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: server.Addr})
	defer client.Close()
	info, err := client.InfoMap(t.Context(), "memory").Result()
	require.NoError(t, err)
	n, err := strconv.ParseFloat(info["Memory"]["used_memory"], 64)
	require.NoError(t, err)
	return n
}

// The README's figures, which make bench-rate-limit writes.
func TestFigures(t *testing.T) {
	long, keys := []string{"--count", "20000"}, 20_000
	if *figures != "" {
		long, keys = []string{"--duration", "5s"}, 1_000_000
	}
	var b strings.Builder
	row := func(format string, args ...any) { fmt.Fprintf(&b, "| "+format+" |\n", args...) }

	server := redistest.Start(t)
	shared, alone := startAgent(t, many, "-redis-address", server.Addr), startAgent(t, many)
	row("in flight | who counts | agent's CPU a request | requests a second | p50 | p99 | round trips a request")
	row("--- | --- | --- | --- | --- | --- | ---")
	for _, connections := range []int{1, 8} {
		trips, asked := metric(t, shared, "ratelimit_redis_round_trips_total"), metric(t, shared, "ratelimit_redis_requests_total")
		l := put(t, shared, 50_000, connections, long...)
		each := (metric(t, shared, "ratelimit_redis_round_trips_total") - trips) / (metric(t, shared, "ratelimit_redis_requests_total") - asked)
		assert.LessOrEqual(t, each, 0.25, "round trips a request")
		row("%d × 16 | Redis | %.1f µs | %.0f | %v | %v | %.2f", connections, l.cpu, l.Rate, round(l.Latency.P50), round(l.Latency.P99), each)
		l = put(t, alone, 50_000, connections, long...)
		row("%d × 16 | the agent alone | %.1f µs | %.0f | %v | %v | ", connections, l.cpu, l.Rate, round(l.Latency.P50), round(l.Latency.P99))
	}

	flood := startAgent(t, flooded, "-redis-address", server.Addr)
	l := put(t, flood, 1, 8, long...)
	asked := metric(t, flood, "ratelimit_redis_requests_total")
	assert.Less(t, asked, float64(l.Notifies)/10, "a flooder costs Redis nothing")
	row("8 × 16, one flooder | the agent, from memory | %.1f µs | %.0f refusals | %v | %v | %.6f",
		l.cpu, l.Rate, round(l.Latency.P50), round(l.Latency.P99), asked/float64(l.Notifies))

	b.WriteString("\n")
	row("memory of %d addresses, one limit | for one", keys)
	row("--- | ---")
	empty := redistest.Start(t)
	before := memory(t, empty)
	put(t, startAgent(t, kept, "-redis-address", empty.Addr), keys, 1, "--count", strconv.Itoa(keys))
	inRedis := memory(t, empty) - before
	row("%.0f MB in Redis | %.0f bytes", inRedis/1e6, inRedis/float64(keys))
	for _, where := range []struct {
		name   string
		config string
		args   []string
	}{
		{"the agent that counts itself", kept, nil},
		{"the agent that refuses all of them from memory", flooded, []string{"-redis-address", server.Addr}},
	} {
		a := startAgent(t, where.config, where.args...)
		before := metric(t, a, "process_resident_memory_bytes")
		count := keys
		if where.args != nil {
			count *= 2 // the second request of each is refused
		}
		put(t, a, keys, 1, "--count", strconv.Itoa(count))
		assert.InDelta(t, keys, metric(t, a, "ratelimit_cache_keys")+metric(t, a, "ratelimit_local_keys"), float64(keys)/100)
		more := metric(t, a, "process_resident_memory_bytes") - before
		row("%.0f MB in %s | %.0f bytes", more/1e6, where.name, more/float64(keys))
	}
	t.Log("\n" + b.String())
	if *figures == "" {
		return
	}
	page, err := os.ReadFile(*figures)
	require.NoError(t, err)
	const begin, end = "<!-- made by make bench-rate-limit: begin -->\n", "<!-- made by make bench-rate-limit: end -->\n"
	head, rest, found := strings.Cut(string(page), begin)
	require.True(t, found, "%s has no %s", *figures, begin)
	_, tail, found := strings.Cut(rest, end)
	require.True(t, found, "%s has no %s", *figures, end)
	require.NoError(t, os.WriteFile(*figures, []byte(head+begin+b.String()+end+tail), 0o644))
}

func round(d time.Duration) time.Duration { return d.Round(10 * time.Microsecond) }

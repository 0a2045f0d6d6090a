package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
)

// rateLimit shows examples/rate-limit with a Redis.
var rateLimit = scene{
	dir:  "examples/rate-limit",
	env:  "RATELIMIT",
	note: "The limit is 10,000 requests in 24 hours, and 1,000 at once, from each address; /search costs ten.",
	site: func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "This is the origin.") },
	visits: []visit{
		{from: "192.0.2.1", status: 200, origin: "This is the origin.\n", why: "let through"},
		{from: "192.0.2.2", target: "/search", before: 100, status: 429, why: "refused: 100 searches before have cost 1,000"},
		{from: "2001:db8:1:2::1", target: "/search", before: 100, status: 429, why: "the same over IPv6"},
		{from: "2001:db8:1:2:3::9", target: "/search", status: 429, why: "refused: an address of the same network of 64 bits"},
		{from: "2001:db8:1:3::1", status: 200, origin: "This is the origin.\n", why: "let through: another network"},
	},
	prepare: startRedis,
	proof:   provenSources,
}

const demoLimits = "limits: [{name: address, by: [ip], rate: 10000, period: 24h, burst: 1000}]\n"

// startRedis starts a Redis, and returns the agent's flags.
func startRedis(ctx context.Context, d *demo, running *group, dir string) ([]string, error) {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, fmt.Errorf("%w: make redis gets it", err)
	}
	config := filepath.Join(dir, "agent.yaml")
	if err := os.WriteFile(config, []byte(demoLimits), 0o600); err != nil {
		return nil, err
	}
	addr, err := d.freeAddr("127.0.0.1:6379", "Redis")
	if err != nil {
		return nil, err
	}
	redis, err := running.start(d.out, "redis  ", exec.Command(path,
		"--port", port(addr), "--bind", "127.0.0.1", "--dir", dir, "--save", "", "--appendonly", "no", "--loglevel", "warning"))
	if err != nil {
		return nil, err
	}
	// A machine that is busy with other things must not make the agent count alone.
	return []string{"-config", config, "-redis-address", addr, "-redis-deadline", "1s", "-timeout", "2s"},
		redis.waitFor(ctx, "an answer on "+addr, func() bool { return accepts(addr) })
}

// provenSources finds, in the agent's metrics, who counted.
func provenSources(metrics string) (string, error) {
	count := func(source string) (n int) {
		for _, m := range regexp.MustCompile(`(?m)^ratelimit_decisions_total\{.*ratelimit_source="`+source+`"\} (\d+)$`).FindAllStringSubmatch(metrics, -1) {
			var one int
			_, _ = fmt.Sscan(m[1], &one)
			n += one
		}
		return n
	}
	redis, cache := count("redis"), count("cache")
	if redis == 0 || cache == 0 {
		return "", fmt.Errorf("%d decisions were made in Redis and %d from memory", redis, cache)
	}
	return fmt.Sprintf("Decisions, from the agent's metrics: %d made in Redis, %d refusals from memory", redis, cache), nil
}

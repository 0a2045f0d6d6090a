//go:build unix

package main_test

import (
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/examples/rate-limit/internal/redistest"
	"github.com/spoke-go/spoke/internal/recipes"
	"github.com/spoke-go/spoke/service/servicetest"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// The lines of the log about Redis.
const (
	goneLine = "Redis is slow or gone"
	backLine = "Redis answers again"
)

// asker returns a function that asks an agent about an address, on a connection of its own.
func asker(t *testing.T, a *agent) func(ip string) spoetest.Vars {
	t.Helper()
	haproxy, err := spoetest.Dial(t.Context(), "tcp", a.Addr)
	require.NoError(t, err)
	t.Cleanup(func() { haproxy.Close() })
	return func(ip string) spoetest.Vars {
		got, err := haproxy.Ask(t.Context(), "rate-limit", spoetest.Arg("ip", netip.MustParseAddr(ip)))
		require.NoError(t, err)
		return got
	}
}

// until asks until an answer has a source.
func until(t *testing.T, ask func(ip string) spoetest.Vars, source string) {
	t.Helper()
	recipes.Until(t, func() bool { return ask("192.0.2.255").Str("txn.source") == source },
		func() string { return "no answer from " + source })
}

// untilLine asks until the agent logs a line.
func untilLine(t *testing.T, a *agent, ask func(ip string) spoetest.Vars, line string) {
	t.Helper()
	recipes.Until(t, func() bool { ask("192.0.2.255"); return strings.Contains(a.Output(), line) },
		func() string { return "the agent does not say " + line })
}

// Redis has a certificate and wants one. When both sides get new ones, by another authority,
// the agent takes in its files and comes back by itself, and not before.
func TestRedisByTLS(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	servicetest.WriteCertificate(t, at("redis.pem"), at("redis.key"), 1)
	servicetest.WriteCertificate(t, at("agent.pem"), at("agent.key"), 2)
	server := redistest.Start(t, redistest.TLS(at("redis.pem"), at("redis.key"), at("agent.pem"))...)
	config := "limits: [{name: a, by: [ip], rate: 1000}]\nredis:\n  tls: true\n  ca: " + at("redis.pem") + "\n  cert: " + at("agent.pem") + "\n  key: " + at("agent.key") + "\n"
	a := startAgent(t, config, "-redis-address", server.Addr)
	ask := asker(t, a)
	until(t, ask, "redis")

	server.Kill()
	untilLine(t, a, ask, goneLine)
	servicetest.WriteCertificate(t, at("new.pem"), at("new.key"), 3)
	server.Args(redistest.TLS(at("new.pem"), at("new.key"), at("agent.pem"))...)
	server.Restart()
	recipes.Until(t, func() bool { return strings.Contains(server.Output(), "Error accepting a client connection") },
		func() string { return "the agent does not try Redis, or takes its certificate" })
	assert.NotContains(t, a.Output(), backLine)
	assert.Equal(t, "local", ask("192.0.2.1").Str("txn.source"))
	servicetest.WriteFile(t, at("redis.pem"), recipes.ReadFile(t, at("new.pem")))
	untilLine(t, a, ask, backLine)
	until(t, ask, "redis")
}

// A sentinel makes the replica of a lost master the master: the agent goes on with it, and
// no client gets its burst again.
func TestSentinel(t *testing.T) {
	master := redistest.Start(t)
	redistest.StartReplica(t, master)
	sentinel := redistest.StartSentinel(t, master)
	a := startAgent(t, "limits: [{name: a, by: [ip], rate: 3, period: 10h}]", "-redis-address", sentinel.Addr, "-redis-master", "main")
	ask := asker(t, a)
	until(t, ask, "redis")
	for i := range 4 {
		assert.Equal(t, i < 3, ask("192.0.2.1").Bool("txn.allowed"))
	}
	recipes.Until(t, func() bool { return strings.Contains(sentinel.Output(), "+slave slave") }, func() string { return "the sentinel does not know the replica" })
	// Redis copies to its replica after the answer: our own write comes last, and when the
	// replica has it, the replica has all.
	client := redis.NewClient(&redis.Options{Addr: master.Addr})
	defer client.Close()
	conn := client.Conn()
	require.NoError(t, conn.Set(t.Context(), "last", 1, 0).Err())
	recipes.Until(t, func() bool { return conn.Wait(t.Context(), 1, time.Second).Val() == 1 }, func() string { return "the replica is not in step" })
	require.NoError(t, conn.Close())
	master.Kill()
	untilLine(t, a, ask, goneLine)
	untilLine(t, a, ask, backLine)
	until(t, ask, "redis")
	other := startAgent(t, "limits: [{name: a, by: [ip], rate: 3, period: 10h}]", "-redis-address", sentinel.Addr, "-redis-master", "main")
	askOther := asker(t, other)
	until(t, askOther, "redis")
	got := askOther("192.0.2.1")
	assert.Equal(t, "redis", got.Str("txn.source"))
	assert.False(t, got.Bool("txn.allowed"), "the replica has what the master had")
}

// A node of a cluster is lost under load, and its replica takes its place: each request has
// an answer, and each change is one line.
func TestNodeIsLost(t *testing.T) {
	nodes := redistest.StartCluster(t, 3)
	redistest.StartReplica(t, nodes[0], nodes[1:]...)
	var args []string
	for _, addr := range redistest.Addrs(nodes) {
		args = append(args, "-redis-address", addr)
	}
	a := startAgent(t, "limits: [{name: a, by: [ip], rate: 50000}]", args...)
	until(t, asker(t, a), "redis")

	var stop atomic.Bool
	var answers atomic.Int64
	var running sync.WaitGroup
	for i := range 4 {
		ask := asker(t, a)
		running.Go(func() { // ends by stop
			for n := 0; !stop.Load(); n++ {
				got := ask("10.0." + strconv.Itoa(i) + "." + strconv.Itoa(n%256))
				if _, answered := got.Get("txn.allowed"); !assert.True(t, answered) {
					return
				}
				answers.Add(1)
			}
		})
	}
	before := answers.Load()
	nodes[0].Kill()
	a.WaitOutput(goneLine)
	a.WaitOutput(backLine)
	during := answers.Load()
	until(t, asker(t, a), "redis")
	recipes.Until(t, func() bool { return answers.Load() > during+1000 }, func() string { return "the load ends" })
	stop.Store(true)
	running.Wait()
	t.Logf("%d answers while the node was lost", during-before)
	gone, back := strings.Count(a.Output(), goneLine), strings.Count(a.Output(), backLine)
	assert.Equal(t, gone, back)
	assert.LessOrEqual(t, gone, 3, "a busy machine may lose a node more than once")
	assert.EqualValues(t, gone+back, metric(t, a, "ratelimit_redis_changes_total"))
}

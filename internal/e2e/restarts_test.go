package e2e_test

import (
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spoke-go/spoke/internal/freeaddr"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// restarts is two agents behind a HAProxy under load that are restarted in turn.
type restarts struct {
	n           int    // how often each agent is restarted
	checks      bool   // HAProxy checks their health
	agentChecks bool   // HAProxy asks them by agent-check
	lines       string // of the spoe-agent section
	clients     int
	threads     int           // HAProxy's, or 0 for its default
	delay       time.Duration // what a handler takes
}

// TestRestarts: no request may be without its decision where HAProxy checks the
// agents' health and, up to 3.0, has one NOTIFY in flight on a connection, nor where
// it asks them by agent-check.
func TestRestarts(t *testing.T) {
	const clients = 16
	run := func(name string, r restarts) {
		t.Run(name, func(t *testing.T) {
			haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
				o := r.run(t, bin)
				if r.agentChecks || r.checks && (r.lines != "" || bin.AtLeast("3.1")) {
					assert.Empty(t, o.Errors, "requests with an SPOE error")
					return
				}
				// HAProxy goes on using its connections until a DISCONNECT, which fails the
				// NOTIFYs that it is about to send on that connection. They have not
				// reached the agent. Through a tap, more is under way when one comes.
				limit := 2 * r.n * clients
				if os.Getenv(tapEnv) != "" {
					limit *= 2
				}
				assert.LessOrEqual(t, o.failed(), limit, "more than was in flight")
			})
		})
	}
	run("checks", restarts{n: countFrom(t, "SPOKE_RESTARTS", 2), clients: clients, checks: true})
	run("agent-check", restarts{n: countFrom(t, "SPOKE_RESTARTS", 2), clients: clients, checks: true, agentChecks: true})
	run("checks-one-frame-a-connection", restarts{n: countFrom(t, "SPOKE_RESTARTS", 1), clients: clients, checks: true, lines: "max-waiting-frames 1"})
	run("no-checks", restarts{n: countFrom(t, "SPOKE_RESTARTS", 1), clients: clients})
}

// run restarts the agents and returns the clients' results.
func (r restarts) run(t *testing.T, bin haproxytest.Binary) outcome {
	const fall = 2
	children := map[string]child{}
	agents := map[string]*haproxytest.Program{}
	addrs, checkPorts := map[string]string{}, map[string]string{}
	for _, name := range []string{"one", "two"} {
		c := child{addr: freeaddr.Find(t), fall: fall, delay: r.delay}
		if r.agentChecks {
			c.check = freeaddr.Find(t)
			_, checkPorts[name], _ = net.SplitHostPort(c.check)
		}
		children[name], addrs[name] = c, c.addr
		agents[name] = startAgent(t, c)
	}
	h := startHAProxy(t, bin, haproxytest.Config{
		Config: loaded,
		Files:  map[string]string{"spoe.conf": spoeConf(quietly+"messages ip-rep\n"+r.lines, ipRep)},
		Data:   loadedData{Checks: r.checks, Agents: addrs, AgentChecks: checkPorts, Threads: r.threads},
	})
	bothUp := func() {
		t.Helper()
		time.Sleep(200 * time.Millisecond) // some traffic with both
		require.True(t, eventually(waitLimit, func() bool {
			s := serverStates(t, h)
			return s["one"] == "2" && s["two"] == "2"
		}), "not all agents are up")
	}
	bothUp()
	l := startLoad(t, h.Addr("http"), r.clients)
	bothUp()
	var longest time.Duration
	for range r.n {
		for _, name := range []string{"one", "two"} {
			begin := time.Now()
			agents[name].Stop(syscall.SIGTERM, 2*waitLimit)
			longest = max(longest, time.Since(begin))
			p := agents[name]
			assert.Regexp(t, "^listening\nstats .*\n$", p.Output(), "the agent complains")
			agents[name] = startAgent(t, children[name])
			bothUp()
		}
	}
	o := l.end()
	o.LongestEnd = longest
	t.Logf("%d restarts, the longest end took %v: %v", 2*r.n, longest, o)
	assert.Positive(t, o.Responses)
	assert.Zero(t, o.Undecided)
	assert.Zero(t, o.Broken)
	return o
}

// TestRestartMatrix is the table of docs/deployment.md, one row of it in short: each
// way to restart, at several loads. SPOKE_RESTART_MATRIX names the file that the
// whole table goes into.
func TestRestartMatrix(t *testing.T) {
	file := os.Getenv("SPOKE_RESTART_MATRIX")
	rows := []restarts{{n: 1, clients: 64, threads: 2, delay: time.Millisecond}}
	if file != "" {
		rows = nil
		for _, clients := range []int{64, 256} {
			for _, threads := range []int{1, 2} {
				for _, ms := range []time.Duration{0, 1, 2} {
					rows = append(rows, restarts{n: countFrom(t, "SPOKE_RESTARTS", 5), clients: clients, threads: threads, delay: ms * time.Millisecond})
				}
			}
		}
	}
	ways := []struct {
		name string
		set  func(*restarts)
	}{
		{"agent-check", func(r *restarts) { r.checks, r.agentChecks = true, true }},
		{"checks", func(r *restarts) { r.checks = true }},
	}
	if file == "" {
		ways = ways[:1]
	}
	var table strings.Builder
	fmt.Fprintf(&table, "| HAProxy | way | clients | nbthread | handler | restarts | requests | lost | longest end |\n|---|---|---|---|---|---|---|---|---|\n")
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		for _, way := range ways {
			for _, r := range rows {
				way.set(&r)
				t.Run(fmt.Sprintf("%s/%d-clients/%d-threads/%v", way.name, r.clients, r.threads, r.delay), func(t *testing.T) {
					o := r.run(t, bin)
					fmt.Fprintf(&table, "| %s | %s | %d | %d | %v | %d | %d | %d | %.1f s |\n", bin.Version, way.name, r.clients, r.threads,
						r.delay, 2*r.n, o.Responses, o.failed(), o.LongestEnd.Seconds())
					if r.agentChecks {
						assert.Empty(t, o.Errors, "requests with an SPOE error")
					}
				})
			}
		}
	})
	if file != "" {
		require.NoError(t, os.WriteFile(file, []byte(table.String()), 0o644))
	}
}

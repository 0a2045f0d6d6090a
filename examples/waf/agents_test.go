package main

import (
	"flag"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/internal/freeaddr"
	"github.com/spoke-go/spoke/service/servicetest"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

var restarts = flag.Int("restarts", 2, "how often TestTwoAgents restarts one of them")

// twoAgents is the shipped configuration for two agents, with the lines that the agent
// writes for them.
func twoAgents(t *testing.T, originAddr string, addrs ...string) haproxytest.Config {
	t.Helper()
	print := func(part string) string {
		status, out, errOut := servicetest.Once(t, agent(), nil, "-print-config="+part, "-haproxy-agents", strings.Join(addrs, ","))
		require.Zero(t, status, errOut)
		return out
	}
	const filter, request, response = "    filter spoe engine waf config spoe.conf\n", "    http-request send-spoe-group waf request unless watched\n", "    http-response send-spoe-group waf response if"
	lines := map[string]string{}
	for line := range strings.Lines(print("frontend")) {
		for _, kind := range []string{"    filter spoe", "    http-request set-var", "    http-request send-spoe-group", "    http-response send-spoe-group"} {
			if strings.HasPrefix(line, kind) {
				lines[kind] += line
			}
		}
	}
	cfg := shipped(t, "", originAddr, filter, lines["    filter spoe"],
		"    http-request send-spoe-group waf watch if watched\n", "", // another group for each agent
		request, lines["    http-request set-var"]+lines["    http-request send-spoe-group"],
		response+" { var(txn.waf.tx) -m found }\n", strings.ReplaceAll(lines["    http-response send-spoe-group"], " }\n", " } { var(txn.waf.tx) -m found }\n"))
	cfg.Files["spoe.conf"] = strings.ReplaceAll(print("spoe"), "timeout processing 2s", "timeout processing 20s")
	cfg.Files["agents.cfg"] = strings.ReplaceAll(print("backend"), "inter 1s", "inter 100ms")
	return cfg
}

// TestTwoAgents: while one of two agents is restarted again and again, nothing passes that
// the rules refuse: no request without a verdict, no response without its request's.
func TestTwoAgents(t *testing.T) {
	file := t.TempDir() + "/agent.yaml"
	servicetest.WriteFile(t, file, settings)
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		addrs := []string{freeaddr.Find(t), freeaddr.Find(t)}
		run := func(i int) *servicetest.Agent {
			a := servicetest.Run(t, nil, "-config", file, "-timeout", "10s", "-admin-listen", "off", "-listen", addrs[i], "-agent", fmt.Sprintf("agent%d", i+1))
			a.Addr(t)
			return a
		}
		first := run(0)
		run(1)
		h := haproxytest.Start(t, bin, twoAgents(t, startOrigin(t), addrs...))
		waitUp(t, h, 4)

		var asked, lost atomic.Int64
		done := make(chan struct{})
		var clients sync.WaitGroup
		for range 6 {
			clients.Go(func() { // ends with done
				for {
					for path, want := range map[string]int{"/": 200, "/?do=deny": 400, "/leak": 403} {
						status := h.Get(path).Status
						asked.Add(1)
						switch status {
						case want:
						case 502, 503: // no verdict: refused
							lost.Add(1)
						default:
							t.Errorf("%s: status %d, want %d", path, status, want)
						}
					}
					select {
					case <-done:
						return
					default:
					}
				}
			})
		}
		for range *restarts {
			time.Sleep(300 * time.Millisecond)
			first.Stop()
			require.Zero(t, <-first.Ended)
			first = run(0)
		}
		time.Sleep(300 * time.Millisecond)
		close(done)
		clients.Wait()
		t.Logf("%d restarts, %d requests, %d refused without a verdict", *restarts, asked.Load(), lost.Load())
		assert.Less(t, lost.Load()*5, asked.Load(), "most requests get their verdicts")
	})
}

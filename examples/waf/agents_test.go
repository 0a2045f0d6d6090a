package main

import (
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
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
func twoAgents(t *testing.T, originAddr, checkPort string, addrs ...string) haproxytest.Config {
	t.Helper()
	print := func(part string) string {
		status, out, errOut := servicetest.Once(t, agent(), nil, "-print-config="+part, "-haproxy-agents", strings.Join(addrs, ","), "-agent-check", ":"+checkPort)
		require.Zero(t, status, errOut)
		return out
	}
	const filter, response = "    filter spoe engine waf config spoe.conf\n", "    http-response send-spoe-group waf response if"
	lines := map[string]string{}
	for line := range strings.Lines(print("frontend")) {
		for _, kind := range []string{"    filter spoe", "    http-response send-spoe-group"} {
			if strings.HasPrefix(line, kind) {
				lines[kind] += line
			}
		}
	}
	cfg := shipped(t, "", originAddr, filter, lines["    filter spoe"],
		response+" { var(txn.waf.tx) -m found }\n", strings.ReplaceAll(lines["    http-response send-spoe-group"], " }\n", " } { var(txn.waf.tx) -m found }\n"))
	cfg.Files["spoe.conf"] = strings.ReplaceAll(print("spoe"), "timeout processing 2s", "timeout processing 20s")
	cfg.Files["agents.cfg"] = strings.NewReplacer("check inter 1s", "check inter 100ms", "agent-inter 1s", "agent-inter 100ms", "    option spop-check\n", patientChecks).Replace(print("backend"))
	return cfg
}

// TestCheckOfTwoAgents: -check-config finds nothing in the files that the agent writes for
// two agents, and finds a second server line in those of one.
func TestCheckOfTwoAgents(t *testing.T) {
	check := func(cfg haproxytest.Config) (int, string) {
		dir := t.TempDir()
		for name, text := range cfg.Files {
			servicetest.WriteFile(t, dir+"/"+name, text)
		}
		servicetest.WriteFile(t, dir+"/haproxy.cfg", cfg.Config)
		status, out, errOut := servicetest.Once(t, agent(), nil, "-check-config", dir+"/agents.cfg,"+dir+"/haproxy.cfg")
		return status, out + errOut
	}
	status, found := check(twoAgents(t, "127.0.0.1:8081", "9001", "127.0.0.1:9000", "127.0.0.2:9000"))
	assert.Zero(t, status, found)
	cfg := shipped(t, "127.0.0.1:9000", "127.0.0.1:8081")
	cfg.Files["agents.cfg"] += "    server agent2 127.0.0.2:9000\n"
	status, found = check(cfg)
	assert.NotZero(t, status)
	assert.Contains(t, found, "[agent-not-kept]")
	assert.Equal(t, 1, strings.Count(found, "At run time"), found)
}

// pairOfAgents are two agents with a HAProxy.
type pairOfAgents struct {
	*haproxytest.HAProxy
	start func(i int) *servicetest.Agent // 0 or 1
}

// startTwo starts HAProxy; start starts the agents. The two have the same ports on two
// addresses, as they have on two machines.
func startTwo(t *testing.T, bin haproxytest.Binary, originAddr string) *pairOfAgents {
	file := t.TempDir() + "/agent.yaml"
	servicetest.WriteFile(t, file, settings)
	ports := []string{freeaddr.Port(t), freeaddr.Port(t)}
	hosts := []string{"127.0.0.1:", "127.0.0.2:"}
	p := new(pairOfAgents)
	p.start = func(i int) *servicetest.Agent {
		a := servicetest.Run(t, nil, "-config", file, "-timeout", "10s", "-shutdown-timeout", "10s",
			"-listen", hosts[i]+ports[0], "-agent-check", hosts[i]+ports[1], "-agent", fmt.Sprintf("agent%d", i+1))
		a.Addr(t)
		return a
	}
	p.HAProxy = haproxytest.Start(t, bin, twoAgents(t, originAddr, ports[1], hosts[0]+ports[0], hosts[1]+ports[0]))
	return p
}

// waitState waits until HAProxy has an agent in a state in the backend of requests.
func (p *pairOfAgents) waitState(t *testing.T, server, state string) {
	t.Helper()
	require.Eventually(t, func() bool {
		return regexp.MustCompile(`(?m)^waf-agents,` + server + `,.*,` + state + `[,/ ]`).MatchString(p.Command("show stat"))
	}, servicetest.Patience, 20*time.Millisecond, "%s is not %s", server, state)
}

// TestResponsesDuringTheEnd: responses that come after SIGTERM find their requests, while
// new requests go to the other agent. The agent ends when it has the last one. The
// responses that come later than that are refused.
func TestResponsesDuringTheEnd(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		held := newHeldOrigin(t)
		p := startTwo(t, bin, held.addr)
		agents := []*servicetest.Agent{p.start(0), p.start(1)}
		p.waitState(t, "agent1", "UP")
		p.waitState(t, "agent2", "UP")
		names := []string{"agent1", "agent2"}
		const clients = 16
		hold := func() (statuses chan int) {
			statuses = make(chan int, clients)
			for i := range clients {
				go func() { statuses <- p.Status([]string{"/held", "/held/leak"}[i%2]) }() // ends with the response
			}
			for range clients {
				<-held.came
			}
			return statuses
		}
		busiest := func() int { // up to 3.0, one agent may have all requests
			var waiting []float64
			for _, a := range agents {
				waiting = append(waiting, number(t, a.Scrape(t), `spop_pair_waiting\{spop_pair_name="transactions"\} (\d+)`))
			}
			require.EqualValues(t, clients, waiting[0]+waiting[1])
			if waiting[0] > waiting[1] {
				return 0
			}
			return 1
		}
		statuses := hold()
		i := busiest()
		agents[i].Stop()
		p.waitState(t, names[i], "DRAIN")
		for range 20 {
			assert.Equal(t, http.StatusOK, p.Status("/"))
		}
		select {
		case <-agents[i].Ended:
			t.Error("the agent has not waited for its responses")
		default:
		}
		held.let()
		got := map[int]int{}
		for range clients {
			got[<-statuses]++
		}
		assert.Equal(t, map[int]int{200: clients / 2, 403: clients / 2}, got)
		assert.Zero(t, <-agents[i].Ended)
		text := agents[1-i].Scrape(t)
		assert.NotRegexp(t, `spop_pair_missed_total\{[^}]*\} [1-9]`, text, "no response came to the wrong agent")

		agents[i] = p.start(i)
		p.waitState(t, names[i], "UP")
		statuses = hold()
		i = busiest()
		agents[i].Stop()
		assert.Zero(t, <-agents[i].Ended)
		held.let()
		got = map[int]int{}
		for range clients {
			got[<-statuses]++
		}
		assert.Positive(t, got[502], "evicted: %v", got)
		assert.Equal(t, clients, got[200]+got[403]+got[502], "%v", got)
	})
}

// heldOrigin is a site whose pages below /held come when they are released.
type heldOrigin struct {
	addr    string
	came    chan struct{}
	mu      sync.Mutex // guards release
	release chan struct{}
}

func newHeldOrigin(t *testing.T) *heldOrigin {
	h := &heldOrigin{came: make(chan struct{}, 100), release: make(chan struct{})}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		if strings.HasPrefix(r.URL.Path, "/held") {
			h.mu.Lock()
			release := h.release
			h.mu.Unlock()
			h.came <- struct{}{}
			<-release
		}
		if strings.HasSuffix(r.URL.Path, "leak") {
			fmt.Fprint(w, "an error in your SQL syntax")
		}
	}))
	t.Cleanup(s.Close)
	t.Cleanup(h.let)
	h.addr = strings.TrimPrefix(s.URL, "http://")
	return h
}

// let releases the pages that wait.
func (h *heldOrigin) let() {
	h.mu.Lock()
	defer h.mu.Unlock()
	close(h.release)
	h.release = make(chan struct{})
}

// TestTwoAgents: while one of two agents is restarted again and again, nothing passes that
// the rules refuse: no request without a verdict, no response without its request's.
func TestTwoAgents(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		h := startTwo(t, bin, startOrigin(t))
		first := h.start(0)
		h.start(1)
		h.waitState(t, "agent1", "UP")
		h.waitState(t, "agent2", "UP")

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
			first = h.start(0)
			h.waitState(t, "agent1", "UP")
		}
		time.Sleep(300 * time.Millisecond)
		close(done)
		clients.Wait()
		t.Logf("%d restarts, %d requests, %d refused without a verdict", *restarts, asked.Load(), lost.Load())
		assert.Less(t, lost.Load()*5, asked.Load(), "most requests get their verdicts")
	})
}

package main_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spoke-go/spoke/service/servicetest"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	main "github.com/spoke-go/spoke/examples/ip-reputation"
)

// failOpen is the line of haproxy.cfg that decides, and failClosed what it says
// once the '#' is taken away.
const (
	failOpen   = "#http-request deny deny_status 503"
	failClosed = "http-request deny deny_status 503"
)

// Health checks of tests need not take a second each.
const (
	checkInterval        = "inter 1s"
	checkIntervalInTests = "inter 100ms"
)

// shipped is the configuration beside this file, but for addresses and the
// interval of health checks. oldnew are texts of haproxy.cfg and their replacements.
func shipped(t *testing.T, agentAddr string, oldnew ...string) haproxytest.Config {
	t.Helper()
	// The site tells what HAProxy told it.
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "score=%s list=%s", r.Header.Get("X-IP-Score"), r.Header.Get("X-IP-List"))
		if country := r.Header.Get("X-IP-Country"); country != "" {
			fmt.Fprintf(w, " country=%s", country)
		}
	}))
	t.Cleanup(origin.Close)
	return haproxytest.Config{
		Config: haproxytest.ReadConfig(t, "haproxy.cfg", oldnew...),
		Files: map[string]string{
			"spoe.conf":  haproxytest.ReadConfig(t, "spoe.conf"),
			"agents.cfg": haproxytest.ReadConfig(t, "agents.cfg", checkInterval, checkIntervalInTests),
		},
		Args: []string{"-f", "agents.cfg"},
		Env: []string{
			`IPREP_FRONTEND={{addr "http"}}`,
			"IPREP_ORIGIN=" + strings.TrimPrefix(origin.URL, "http://"),
			"IPREP_AGENT=" + agentAddr,
		},
	}
}

// patient gives the agent more time than the shipped configuration: a machine
// that is busy with other tests must not make HAProxy give up.
func patient(t *testing.T, config haproxytest.Config) haproxytest.Config {
	t.Helper()
	config.Files["spoe.conf"] = haproxytest.ReadConfig(t, "spoe.conf", "timeout processing 400ms", "timeout processing 10s")
	return config
}

func TestConfigIsValid(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		for name, config := range map[string]haproxytest.Config{
			"as shipped":  shipped(t, "127.0.0.1:9000"),
			"fail closed": shipped(t, "127.0.0.1:9000", failOpen, failClosed),
		} {
			t.Run(name, func(t *testing.T) {
				warnings, err := haproxytest.Check(t, bin, config)
				require.NoError(t, err)
				assert.Empty(t, warnings)
			})
		}
	})
}

func TestHAProxyActsOnDecisions(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		a := startAgent(t, "-log-decisions")
		h := haproxytest.Start(t, bin, patient(t, shipped(t, a.Addr(t), failOpen, failClosed)))
		waitUp(t, h)
		for _, tt := range decisions {
			t.Run(tt.name, func(t *testing.T) {
				// Claims of a client about itself must not get through.
				resp := h.Get("/", "X-Forwarded-For", "198.51.100.99, "+tt.addr, "X-IP-Score", "100", "X-IP-List", "mine")
				assert.Equal(t, tt.status, resp.Status)
				if tt.status == http.StatusOK {
					assert.Equal(t, fmt.Sprintf("score=%d list=%s", tt.score, tt.list), resp.Body)
				}
				line := h.WaitLog(tt.addr + " GET / ")
				assert.Contains(t, line, fmt.Sprintf("status=%d score=%d list=%s ", tt.status, tt.score, orDash(tt.list)))
				assert.Contains(t, line, "spoe_error=-")
				// HAProxy may hand a mapped address on as it is or as IPv4.
				a.Log.Wait(t, fmt.Sprintf(`msg=decision ip=%s ip_score=%d ip_list=%s`,
					regexp.QuoteMeta(tt.addr), tt.score, orQuotes(tt.list)))
			})
		}
		t.Run("the client's own address", func(t *testing.T) {
			resp := h.Get("/")
			assert.Equal(t, http.StatusOK, resp.Status)
			assert.Equal(t, "score=100 list=", resp.Body, "what the connection's last request was about is forgotten")
		})
	})
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func orQuotes(s string) string {
	if s == "" {
		return `""`
	}
	return s
}

// waitUp waits for the success of HAProxy's first health check of the agent.
func waitUp(t *testing.T, h *haproxytest.HAProxy) {
	t.Helper()
	require.Eventually(t, func() bool {
		return strings.Contains(h.Command("show stat"), ",L7OK,")
	}, patience, 20*time.Millisecond, "HAProxy's health check of the agent")
}

// HAProxy asks many questions on a connection to the agent, with the files as they are
// shipped.
func TestConnectionsAreUsedAgain(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		const requests = 200
		a := startAgent(t, "-admin-listen", "127.0.0.1:0")
		config := patient(t, shipped(t, a.Addr(t)))
		config.Files["agents.cfg"] = haproxytest.ReadConfig(t, "agents.cfg") // few health checks
		h := haproxytest.Start(t, bin, config)
		for range requests {
			require.Equal(t, http.StatusOK, h.Get("/").Status)
		}
		const metric = `spop_server_accepted_connections_total\S* (\d+)`
		m := regexp.MustCompile(metric).FindStringSubmatch(a.Scrape(t))
		require.NotNil(t, m)
		n, err := strconv.Atoi(m[1])
		require.NoError(t, err)
		assert.Less(t, n, requests/2, "connections for %d requests", requests)
	})
}

// One line decides what happens when no answer comes.
func TestFailOpenOrClosed(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		for _, tt := range []struct {
			name   string
			line   string
			status int
		}{
			{"open", failOpen, http.StatusOK},
			{"closed", failClosed, http.StatusServiceUnavailable},
		} {
			t.Run(tt.name, func(t *testing.T) {
				a := startAgent(t)
				h := haproxytest.Start(t, bin, shipped(t, a.Addr(t), failOpen, tt.line))
				waitUp(t, h)
				require.Eventually(t, func() bool { // a busy machine may take longer than HAProxy waits
					return h.Get("/", "X-Forwarded-For", "192.0.2.66").Status == http.StatusForbidden
				}, patience, 5*time.Millisecond)
				a.Stop()
				assert.Zero(t, <-a.Ended)
				// On the connection whose last request was refused.
				assert.Equal(t, tt.status, h.Get("/gone", "X-Forwarded-For", "192.0.2.66").Status)
				assert.Regexp(t, `status=\d+ score=- list=- .*spoe_error=\d+`, h.WaitLog("GET /gone"))
			})
		}
	})
}

// Requests go on while lists change, break and recover; HAProxy fails closed: none is without a decision, and every decision is right.
func TestNoRequestIsLostInReloads(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		path := filepath.Join(t.TempDir(), "bad.txt")
		writeList(t, path, "192.0.2.0/24")
		a := startAgent(t, "-list", path)
		h := haproxytest.Start(t, bin, patient(t, shipped(t, a.Addr(t), failOpen, failClosed)))
		waitUp(t, h)

		stop := underTraffic(t, func() {
			assert.Equal(t, http.StatusForbidden, h.Status("/", "X-Forwarded-For", "192.0.2.1"))
			assert.Equal(t, http.StatusOK, h.Status("/", "X-Forwarded-For", "198.51.100.1"))
		})
		for i := range 3 {
			writeList(t, path, "192.0.2.0/24", fmt.Sprintf("203.0.113.%d", i))
			time.Sleep(20 * time.Millisecond)
			writeList(t, path, "# nothing")
			a.Reload <- nil
		}
		stop()
		assert.NotRegexp(t, `spoe_error=\d`, h.Output())
	})
}

// An agent ends while requests come, and another is there: HAProxy turns to it
// when the health check fails, and what the first accepted it answers.
//
// SPOP leaves one gap: a question that HAProxy sends at the very moment at which the
// agent disconnects a quiet connection. HAProxy up to 3.0 goes on using its connections
// to a server that is down, and so falls into it, at most once for each of them: 256 is
// the disconnect. None may wait for its timeout.
func TestEndUnderTraffic(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		first, second := startAgent(t, "-shutdown-timeout", "5s"), startAgent(t)
		const server = `server agent1 "${IPREP_AGENT-127.0.0.1:9000}"`
		config := patient(t, shipped(t, first.Addr(t), failOpen, failClosed))
		require.Contains(t, config.Files["agents.cfg"], server)
		config.Files["agents.cfg"] += "    server agent2 " + second.Addr(t) + "\n"
		h := haproxytest.Start(t, bin, config)
		waitUp(t, h)

		var refused atomic.Int64
		stop := underTraffic(t, func() {
			for addr, want := range map[string]int{"192.0.2.66": http.StatusForbidden, "198.51.100.200": http.StatusOK} {
				switch got := h.Status("/", "X-Forwarded-For", addr); got {
				case want:
				case http.StatusServiceUnavailable:
					refused.Add(1)
				default:
					t.Errorf("%s got %d, want %d", addr, got, want)
				}
			}
		})
		first.Stop()
		assert.Zero(t, <-first.Ended)
		stop()
		t.Logf("%d requests met a goodbye", refused.Load())
		assert.LessOrEqual(t, refused.Load(), int64(2*clients))
		others := strings.ReplaceAll(h.Output(), "spoe_error=256", "")
		assert.NotRegexp(t, `spoe_error=\d`, others)
	})
}

// TestFiles: the agent itself wrote its part, the shipped files fit it, and the check would
// tell otherwise.
func TestFiles(t *testing.T) {
	servicetest.CheckFiles(t, main.Agent())
	status, stdout, _ := once(t, "-timeout", "1s", "-check-config", "agents.cfg,haproxy.cfg")
	assert.Equal(t, 1, status)
	assert.Contains(t, stdout, "[deadline-too-long]")
}

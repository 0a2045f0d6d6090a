package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/service/servicetest"
	"github.com/spoke-go/spoke/spoe/spoetest"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

func TestMain(m *testing.M) { servicetest.Main(m) }

// patientChecks gives health checks more time than the interval between them.
const patientChecks = "    timeout check 20s\n    option spop-check\n"

// shipped is the configuration beside this file, but for addresses and times: a machine
// that is busy must not make HAProxy give up. oldnew are texts of haproxy.cfg, each with
// the one that replaces it.
func shipped(t testing.TB, agentAddr, originAddr string, oldnew ...string) haproxytest.Config {
	t.Helper()
	return haproxytest.Config{
		Config: haproxytest.ReadConfig(t, "haproxy.cfg", append([]string{"timeout connect         10s", "timeout connect         30s"}, oldnew...)...),
		Files: map[string]string{
			"spoe.conf":  haproxytest.ReadConfig(t, "spoe.conf", "timeout processing 2s", "timeout processing 20s", "timeout hello 2s", "timeout hello 20s"),
			"agents.cfg": haproxytest.ReadConfig(t, "agents.cfg", "inter 1s", "inter 100ms", "    option spop-check\n", patientChecks),
		},
		Args: []string{"-f", "agents.cfg"},
		Env:  []string{`WAF_FRONTEND={{addr "http"}}`, "WAF_ORIGIN=" + originAddr, "WAF_AGENT=" + agentAddr},
	}
}

// startOrigin starts a site.
func startOrigin(t testing.TB) (addr string) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		if r.URL.Path == "/leak" {
			fmt.Fprint(w, "You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version")
			return
		}
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprintf(w, "%s %d bytes", r.Method, n)
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// startAgent runs the agent with a file of settings.
func startAgent(t *testing.T, settings string, flags ...string) *servicetest.Agent {
	t.Helper()
	path := filepath.Join(t.TempDir(), "agent.yaml")
	require.NoError(t, os.WriteFile(path, []byte(settings), 0o600))
	return servicetest.Start(t, agent(), append([]string{"-config", path, "-timeout", "10s"}, flags...)...)
}

// waitUp waits until HAProxy's health checks of n agents succeed.
func waitUp(t testing.TB, h *haproxytest.HAProxy, n int) {
	t.Helper()
	require.Eventually(t, func() bool {
		return strings.Count(h.Command("show stat"), ",L7OK,") >= n
	}, servicetest.Patience, 20*time.Millisecond, "HAProxy's health checks of the agents")
}

func startHAProxy(t *testing.T, bin haproxytest.Binary, a *servicetest.Agent, oldnew ...string) *haproxytest.HAProxy {
	t.Helper()
	h := haproxytest.Start(t, bin, shipped(t, a.Addr(t), startOrigin(t), oldnew...))
	waitUp(t, h, 1)
	return h
}

func TestConfigIsValid(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		warnings, err := haproxytest.Check(t, bin, shipped(t, "127.0.0.1:9000", "127.0.0.1:8081"))
		require.NoError(t, err)
		assert.Empty(t, warnings)
	})
}

// TestCoreRuleSet: without any setting, the Core Rule Set judges requests and responses.
func TestCoreRuleSet(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		a := startAgent(t, "")
		h := startHAProxy(t, bin, a)
		form := []string{"Content-Type", "application/x-www-form-urlencoded", "User-Agent", "curl/8", "Accept", "*/*"}
		for _, tt := range []struct {
			name, path, body string
			status           int
			rule             string // of txn.waf.rules_hit
		}{
			{"harmless GET", "/?id=1", "", 200, ""},
			{"harmless POST", "/?id=1", "name=Maier&city=Ulm", 200, ""},
			{"injection in the query", "/q?id=1%27%20or%20%271%27=%271", "", 403, "942100"},
			{"injection in the body", "/b", "id=1' or '1'='1", 403, "942100"},
			{"script in the path", "/p?x=%3Cscript%3Ealert(1)%3C/script%3E", "", 403, "941100"},
			{"leak in the response", "/leak", "", 403, "959100"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				var resp haproxytest.Response
				if tt.body == "" {
					resp = h.Get(tt.path, form...)
				} else {
					resp = h.Post(tt.path, tt.body, form...)
				}
				assert.Equal(t, tt.status, resp.Status)
				line := h.WaitLog(tt.path + " status=")
				assert.Contains(t, line, "spoe_error=-")
				if tt.rule != "" {
					assert.Regexp(t, `action=deny rule=(949110|959100) hit=[\d,]*`+tt.rule, line)
				}
			})
		}
	})
}

// settings are applications with a few rules of their own.
const settings = `
applications:
  - name: rest
    responses: true
    directives: |
      SecRuleEngine On
      SecRequestBodyAccess On
      SecResponseBodyAccess On
      SecResponseBodyMimeType text/plain
      SecRule ARGS_GET:do "@streq deny" "id:1,phase:1,deny,status:400,log,msg:'denied'"
      SecRule ARGS_GET:do "@streq drop" "id:2,phase:1,drop,log"
      SecRule ARGS_GET:do "@streq redirect" "id:3,phase:1,redirect:https://example.com/why,log"
      SecRule REQUEST_BODY "@contains evil" "id:4,phase:2,deny,status:403,log"
      SecRule RESPONSE_BODY "@contains syntax" "id:5,phase:4,deny,status:403,log"
      SecRule RESPONSE_HEADERS:X-Bad "@rx ." "id:6,phase:3,deny,status:403,log"
      SecAction "id:7,phase:1,nolog,pass,ctl:forceRequestBodyVariable=On"
  - name: judge
    hosts: [judge.example]
    cut-body: judge
    directives: |
      SecRuleEngine On
      SecRequestBodyAccess On
      SecAction "id:7,phase:1,nolog,pass,ctl:forceRequestBodyVariable=On"
      SecRule REQUEST_BODY "@contains evil" "id:4,phase:2,deny,status:403,log"
  - name: pass
    hosts: [pass.example]
    cut-body: pass
    directives: |
      SecRuleEngine On
      SecRequestBodyAccess On
      SecAction "id:7,phase:1,nolog,pass,ctl:forceRequestBodyVariable=On"
      SecRule REQUEST_BODY "@contains evil" "id:4,phase:2,deny,status:403,log"
  - name: watch
    hosts: [watch.example]
    detect-only: true
    directives: |
      SecRule ARGS_GET:do "@streq deny" "id:1,phase:1,deny,status:400,log"
`

// TestOutcomes: HAProxy does as an application's own rules say.
func TestOutcomes(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		h := startHAProxy(t, bin, startAgent(t, settings))
		cut := strings.Repeat("x", 100<<10)
		for _, tt := range []struct {
			name, host, path, body string
			status                 int
			log                    string
		}{
			{"pass", "any.example", "/?do=nothing", "", 200, "action=- rule=- hit=- score=0"},
			{"deny", "any.example", "/?do=deny", "", 400, "action=deny rule=1 hit=1"},
			{"redirect", "any.example", "/?do=redirect", "", 302, "action=redirect rule=3 hit=3"},
			{"body", "any.example", "/b1", "evil", 403, "action=deny rule=4 hit=4"},
			{"response", "any.example", "/leak", "", 403, "action=deny rule=5 hit=5"},
			{"host with a port", "WATCH.example:8080", "/?do=deny", "", 200, "action=- rule=- hit=1"},
			{"cut body, refused", "any.example", "/c1", "evil" + cut, 413, "action=deny rule=- hit=-"},
			{"cut body, judged", "judge.example", "/c2", "evil" + cut, 403, "action=deny rule=4 hit=4"},
			{"cut body, judged as harmless", "judge.example", "/c3", cut + "evil", 200, "action=- rule=- hit=-"},
			{"cut body, passed", "pass.example", "/c4", "evil" + cut, 200, "action=- rule=- hit=-"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				status, header := do(t, h, tt.host, tt.path, tt.body)
				line := h.WaitLog(tt.path + " status=" + strconv.Itoa(tt.status))
				if len(tt.body) < len(cut) { // otherwise HAProxy may close before it has read all
					assert.Equal(t, tt.status, status)
				}
				assert.Contains(t, line, tt.log)
				assert.Contains(t, line, "spoe_error=-")
				if tt.status == 302 {
					assert.Equal(t, "https://example.com/why", header.Get("Location"))
				}
			})
		}
		t.Run("drop", func(t *testing.T) {
			conn, err := net.Dial("tcp", h.Addr("http"))
			require.NoError(t, err)
			defer conn.Close()
			_, err = io.WriteString(conn, "GET /dropped?do=drop HTTP/1.1\r\nHost: x\r\n\r\n")
			require.NoError(t, err)
			assert.Contains(t, h.WaitLog("/dropped"), "action=drop rule=2")
			require.NoError(t, conn.SetReadDeadline(time.Now().Add(100*time.Millisecond)))
			n, _ := conn.Read(make([]byte, 1))
			assert.Zero(t, n, "nothing is answered")
		})
	})
}

// do sends a request over a connection of its own. Its status is 0 if the connection broke.
func do(t *testing.T, h *haproxytest.HAProxy, host, path, body string) (int, http.Header) {
	t.Helper()
	method := http.MethodGet
	if body != "" {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+h.Addr("http")+path, strings.NewReader(body))
	require.NoError(t, err)
	req.Host = host
	req.Header.Set("Content-Type", "application/octet-stream")
	transport := &http.Transport{DisableKeepAlives: true}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return 0, nil
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, resp.Header
}

// TestWithoutAgent: without a verdict, nothing passes, and nothing waits for it.
func TestWithoutAgent(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		a := startAgent(t, settings)
		h := startHAProxy(t, bin, a)
		require.Equal(t, 200, h.Get("/").Status)
		a.Stop()
		assert.Zero(t, <-a.Ended)
		assert.Equal(t, 503, h.Get("/gone").Status)
		assert.Regexp(t, `status=503 .*spoe_error=\d+`, h.WaitLog("/gone"))
	})
}

// TestBrokenRulesKeepTheOldOnes: and the log names file and line. A mended file is taken
// in, and a request that was judged by the old rules finds them again at its response.
func TestBrokenRulesKeepTheOldOnes(t *testing.T) {
	rules := filepath.Join(t.TempDir(), "shop.conf")
	write := func(value string) {
		servicetest.WriteFile(t, rules, "SecRuleEngine On\n\n# Rules\nSecRule REQUEST_URI|RESPONSE_HEADERS:X \""+value+"\" \\\n  \"id:1,phase:1,deny,log\"\n"+
			"SecRule RESPONSE_HEADERS:X \""+value+"\" \"id:2,phase:3,deny,log\"\n")
	}
	write("@contains old")
	a := startAgent(t, "applications: [{name: shop, responses: true, files: ["+rules+"]}]")
	client, err := spoetest.Dial(t.Context(), "tcp", a.Addr(t))
	require.NoError(t, err)
	defer client.Close()
	ask := func(url string) spoetest.Vars {
		vars, err := client.Ask(t.Context(), "waf-request", request(url)...)
		require.NoError(t, err)
		return vars
	}
	pending := ask("/")
	assert.Equal(t, "deny", ask("/old").Str("txn.action"))

	write("@rx (")
	a.Reload <- nil
	assert.Contains(t, a.Log.Wait(t, `not reloaded.*`)[0], rules+":4: ")
	assert.Equal(t, "deny", ask("/old").Str("txn.action"))

	write("@contains new")
	a.Reload <- nil
	a.Log.Wait(t, `msg="configuration reloaded"`)
	assert.False(t, ask("/old").Has("txn.action"))
	assert.Equal(t, "deny", ask("/new").Str("txn.action"))
	response := func(tx string) spoetest.Vars {
		vars, err := client.Ask(t.Context(), "waf-response", spoetest.Arg("tx", tx), spoetest.Arg("status", 200), spoetest.Arg("version", "1.1"),
			spoetest.Arg("headers", codec.Binary([]byte("\x01x\x03old\x00\x00"))), spoetest.Arg("body_ended", true))
		require.NoError(t, err)
		return vars
	}
	assert.EqualValues(t, 2, response(pending.Str("txn.tx")).Int("txn.ruleid"))
	assert.Empty(t, response(pending.Str("txn.tx")), "a transaction is judged once")
	assert.False(t, response(ask("/").Str("txn.tx")).Has("txn.action"))
}

// TestFilesAreGenerated: the agent itself has written its files, and all of them fit.
func TestFilesAreGenerated(t *testing.T) {
	print := func(part string) string {
		status, out, errOut := servicetest.Once(t, agent(), nil, "-print-config="+part)
		require.Zero(t, status, errOut)
		return out
	}
	assert.Equal(t, print("spoe"), haproxytest.ReadConfig(t, "spoe.conf"), "run go generate")
	assert.Equal(t, print("backend"), haproxytest.ReadConfig(t, "agents.cfg"), "run go generate")
	status, out, errOut := servicetest.Once(t, agent(), nil, "-check-config", "agents.cfg,haproxy.cfg")
	assert.Zero(t, status)
	assert.Empty(t, out+errOut)
}

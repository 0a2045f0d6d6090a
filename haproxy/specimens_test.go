package haproxy_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spoke-go/spoke/spoe/spoetest"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/haproxy"
	"github.com/spoke-go/spoke/spoe"
)

// A specimen is a folder of testdata/specimens: haproxy.cfg, which is loaded behind
// common.cfg, and spoe.conf; seen.json, what each HAProxy does with a request; and
// want.txt, the finding. Without want.txt, Check finds nothing. routes.json has the
// agent's routes where they are not those of the generic agent, which handles each
// message of spoe.conf and sets txn.PREFIX.verdict.
type specimen struct{ dir string }

func specimens(t *testing.T) []specimen {
	t.Helper()
	files, err := filepath.Glob("testdata/specimens/*/haproxy.cfg")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 60)
	var all []specimen
	for _, f := range files {
		all = append(all, specimen{filepath.Dir(f)})
	}
	return all
}

// seen is what HAProxy does with a request.
type seen struct {
	Target   string            `json:"target"`   // "/" by default
	Targets  []string          `json:"targets"`  // of several requests on one connection; the last counts
	Headers  []string          `json:"headers"`  // names and values
	Star     bool              `json:"star"`     // the request is OPTIONS *
	TLS      string            `json:"tls"`      // the request is sent over TLS, with this name
	Status   int               `json:"status"`   // of the response; 0 where there is none
	Messages map[string]int    `json:"messages"` // how often the agent gets each message
	Args     map[string]string `json:"args"`     // what it gets, by message.argument
	Site     map[string]string `json:"site"`     // headers that the site gets
	St       []string          `json:"st"`       // the numbers in the lines of SPOE's log
	Log      string            `json:"log"`      // what a line of the log has
	Late     bool              `json:"late"`     // the client connects, and is silent for a while
	// By has what differs for versions such as "2.6".
	By map[string]json.RawMessage `json:"by"`
}

func (s specimen) seen(t *testing.T, bin haproxytest.Binary) seen {
	t.Helper()
	read := func(b []byte, into *seen) {
		d := json.NewDecoder(bytes.NewReader(b))
		d.DisallowUnknownFields()
		require.NoError(t, d.Decode(into), s.dir)
	}
	b, err := os.ReadFile(filepath.Join(s.dir, "seen.json"))
	require.NoError(t, err)
	var all seen
	read(b, &all)
	for _, version := range slices.Sorted(maps.Keys(all.By)) {
		if strings.HasPrefix(bin.Version, version+".") {
			read(all.By[version], &all)
		}
	}
	return all
}

var messageLine = regexp.MustCompile(`(?m)^spoe-message (\S+)`)

// routes returns what the agent of a specimen handles.
func (s specimen) routes(t *testing.T) haproxy.Agent {
	t.Helper()
	f, err := os.Open(filepath.Join(s.dir, "routes.json"))
	if err == nil {
		defer f.Close()
		a, err := haproxy.ReadRoutes(f)
		require.NoError(t, err)
		return a
	}
	require.ErrorIs(t, err, os.ErrNotExist)
	var a haproxy.Agent
	for _, m := range messageLine.FindAllStringSubmatch(haproxytest.ReadConfig(t, filepath.Join(s.dir, "spoe.conf")), -1) {
		a.Messages = append(a.Messages, haproxy.Message{Name: m[1], AnyArgs: true, Vars: []haproxy.Var{{Scope: "txn", Name: "verdict", Always: true}}})
	}
	return a
}

func (s specimen) sources() haproxy.Sources {
	env := map[string]string{"AGENT": "127.0.0.1:9000"}
	return haproxy.Sources{
		Configs: []string{"testdata/specimens/common.cfg", filepath.Join(s.dir, "haproxy.cfg")},
		LookupEnv: func(name string) (string, bool) {
			v, ok := env[name]
			return v, ok
		},
	}
}

// TestSpecimensFound holds what Check says of each specimen.
func TestSpecimensFound(t *testing.T) {
	sound := 0
	for _, s := range specimens(t) {
		t.Run(filepath.Base(s.dir), func(t *testing.T) {
			found, err := haproxy.Check(s.routes(t), s.sources())
			require.NoError(t, err)
			want := filepath.Join(s.dir, "want.txt")
			if _, err := os.Stat(want); err != nil && !*update {
				sound++
				require.Empty(t, found)
				return
			}
			if len(found) == 0 && *update {
				return
			}
			require.Len(t, found, 1, "%v", found)
			golden(t, strings.TrimPrefix(want, "testdata/"), found[0].Text()+"\n")
		})
	}
	if !*update {
		assert.GreaterOrEqual(t, sound, 40, "sound specimens")
	}
}

// asked is the generic agent: it remembers its messages and answers with the text of
// an argument "answer", or "pass".
type asked struct {
	vars []haproxy.Var

	mu    sync.Mutex // guards what follows
	count map[string]int
	args  map[string]string
}

func (a *asked) ServeSPOE(ctx context.Context, m *spoe.Message, acts *spoe.Actions) error {
	verdict := "pass"
	a.mu.Lock()
	a.count[m.Name]++
	for name, value := range m.Args.All() {
		text := "NULL"
		if v := value.Any(); v != nil {
			text = fmt.Sprint(v)
			if b, ok := v.([]byte); ok {
				text = string(b)
			}
		}
		a.args[m.Name+"."+name] = text
		if name == "answer" {
			verdict = text
		}
		if name == "slow" {
			a.mu.Unlock()
			select {
			case <-time.After(300 * time.Millisecond):
			case <-ctx.Done():
			}
			a.mu.Lock()
		}
	}
	a.mu.Unlock()
	for _, v := range a.vars {
		scope := map[string]spoe.VarScope{"proc": spoe.VarScopeProcess, "sess": spoe.VarScopeSession, "txn": spoe.VarScopeTransaction, "req": spoe.VarScopeRequest, "res": spoe.VarScopeResponse}[v.Scope]
		if err := acts.SetString(scope, v.Name, verdict); err != nil {
			return err
		}
	}
	return nil
}

// TestSpecimensSeen holds what each HAProxy does with each specimen.
func TestSpecimensSeen(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		for _, s := range specimens(t) {
			t.Run(filepath.Base(s.dir), func(t *testing.T) {
				t.Parallel()
				s.run(t, bin)
			})
		}
	})
}

func (s specimen) run(t *testing.T, bin haproxytest.Binary) {
	want := s.seen(t, bin)
	agent := &asked{count: map[string]int{}, args: map[string]string{}}
	for _, m := range s.routes(t).Messages {
		agent.vars = append(agent.vars, m.Vars...)
	}
	var mu sync.Mutex
	var got http.Header
	site := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		got = r.Header
		mu.Unlock()
	}))
	if want.TLS != "" {
		site.StartTLS()
	} else {
		site.Start()
	}
	t.Cleanup(site.Close)
	addr := spoetest.Serve(t, agent)
	replace := strings.NewReplacer("127.0.0.1:8080", `{{addr "http"}}`, "127.0.0.1:8081", site.Listener.Addr().String(), "127.0.0.1:9000", addr)
	file := func(name string) string { return replace.Replace(haproxytest.ReadConfig(t, name)) }
	h := haproxytest.Start(t, bin, haproxytest.Config{
		Config: file(filepath.Join(s.dir, "haproxy.cfg")),
		Files:  map[string]string{"common.cfg": file("testdata/specimens/common.cfg"), "spoe.conf": file(filepath.Join(s.dir, "spoe.conf"))},
		Args:   []string{"-f", "common.cfg"},
		Env:    []string{"AGENT=" + addr},
	})
	status := s.request(t, h, want)
	assert.Equal(t, want.Status, status, "status")
	agent.mu.Lock()
	for name, n := range want.Messages {
		assert.Equal(t, n, agent.count[name], "messages %q", name)
	}
	for name, text := range want.Args {
		assert.Equal(t, text, agent.args[name], "argument %s", name)
	}
	agent.mu.Unlock()
	mu.Lock()
	for name, text := range want.Site {
		assert.Equal(t, text, got.Get(name), "header %s of the site", name)
	}
	mu.Unlock()
	if want.Log != "" {
		h.WaitLog(want.Log)
	}
	for _, st := range want.St {
		h.WaitLog(" st=" + st + " ")
	}
}

// request sends the requests and returns the status of the last one.
func (s specimen) request(t *testing.T, h *haproxytest.HAProxy, want seen) int {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ServerName: want.TLS}}
	defer transport.CloseIdleConnections()
	transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		if want.Late {
			time.Sleep(200 * time.Millisecond)
		}
		return conn, err
	}
	scheme := "http://"
	if want.TLS != "" {
		scheme = "https://"
	}
	targets := want.Targets
	if targets == nil {
		targets = []string{want.Target}
	}
	status := 0
	for _, target := range targets {
		req, err := http.NewRequest(http.MethodGet, scheme+h.Addr("http")+target, nil)
		require.NoError(t, err)
		if want.Star {
			req.Method, req.URL.Path, req.URL.Opaque = http.MethodOptions, "", "*"
		}
		for pair := range slices.Chunk(want.Headers, 2) {
			req.Header.Add(pair[0], pair[1])
			if pair[0] == "Host" {
				req.Host = pair[1]
			}
		}
		resp, err := transport.RoundTrip(req)
		if err != nil {
			return 0
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		status = resp.StatusCode
	}
	return status
}

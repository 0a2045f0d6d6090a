package haproxy_test

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/haproxy"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

// asked is the generic agent: it remembers its messages and answers with an argument
// "answer", as a bool or a text, or "pass".
type asked struct {
	vars []haproxy.Var

	mu    sync.Mutex // guards what follows
	count map[string]int
	args  map[string]string
}

func (a *asked) ServeSPOE(ctx context.Context, m *spoe.Message, acts *spoe.Actions) error {
	var verdict any = "pass"
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
			if yes, ok := value.Any().(bool); ok {
				verdict = yes
			}
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
		if err := acts.SetVar(scope, v.Name, verdict); err != nil {
			return err
		}
	}
	return nil
}

// wait waits until the agent gets a message.
func (a *asked) wait(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		a.mu.Lock()
		asked := len(a.count) > 0
		a.mu.Unlock()
		if asked {
			return
		}
		require.True(t, time.Now().Before(end), "the agent is not asked")
	}
}

func (s specimen) run(t *testing.T, bin haproxytest.Binary) {
	want := s.seen(t, bin)
	if !bin.AtLeast(cmp.Or(want.Since, "2.2")) {
		_, err := haproxytest.Check(t, bin, s.config(t, bin, want, "127.0.0.1:9000", "127.0.0.1:8081"))
		assert.Error(t, err, "HAProxy before %s refuses this specimen", want.Since)
		return
	}
	if want.Crashes {
		_, err := haproxytest.Check(t, bin, s.config(t, bin, want, "127.0.0.1:9000", "127.0.0.1:8081"))
		assert.NoError(t, err)
		return
	}
	agent := &asked{count: map[string]int{}, args: map[string]string{}}
	for _, m := range s.routes(t).Messages {
		agent.vars = append(agent.vars, m.Vars...)
	}
	var mu sync.Mutex
	var got http.Header
	site := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		got = r.Header
		mu.Unlock()
		n, _ := strconv.Atoi(r.FormValue("bytes"))
		_, _ = io.WriteString(w, strings.Repeat("b", n))
	}))
	if want.TLS != "" {
		site.StartTLS()
	} else {
		site.Start()
	}
	t.Cleanup(site.Close)
	addr := want.front(t, want.serve(t, agent))
	h := haproxytest.Start(t, bin, s.config(t, bin, want, addr, site.Listener.Addr().String()))
	var status int
	var clients sync.WaitGroup
	for i := range max(want.AtOnce, 1) {
		clients.Go(func() {
			if got := s.request(t, h, want, agent); i == 0 {
				status = got
			}
		})
	}
	clients.Wait()
	assert.Equal(t, want.Status, status, "status")
	agent.mu.Lock()
	t.Logf("status %d, messages %v, arguments %q", status, agent.count, agent.args)
	for name, n := range want.Messages {
		assert.Equal(t, n, agent.count[name], "messages %q", name)
	}
	for name, n := range want.AtLeast {
		assert.GreaterOrEqual(t, agent.count[name], n, "messages %q", name)
	}
	for name, text := range want.Args {
		assert.Equal(t, text, agent.args[name], "argument %s", name)
	}
	agent.mu.Unlock()
	mu.Lock()
	t.Logf("the site got %q", got)
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

// serve runs the agent and returns its address.
func (want seen) serve(t *testing.T, h spoe.Handler) string {
	if want.Frame == 0 {
		return spoetest.Serve(t, h)
	}
	ln, err := spoe.Listen("127.0.0.1:0")
	require.NoError(t, err)
	a := &spoe.Agent{Handler: h, MaxFrameSize: want.Frame}
	ended := make(chan error, 1)
	go func() { ended <- a.Run(context.Background(), ln) }() // ends with Close
	t.Cleanup(func() {
		a.Close()
		<-ended
	})
	return ln.Addr().String()
}

// front returns an address at which an agent is slow to greet, or speaks TLS.
func (want seen) front(t *testing.T, agent string) string {
	if want.Greets == "" && !want.OverTLS {
		return agent
	}
	delay, _ := time.ParseDuration(want.Greets)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { ln.Close() })
	addr := ln.Addr().String()
	if want.OverTLS {
		https := httptest.NewTLSServer(nil) // for its certificate
		t.Cleanup(https.Close)
		ln = tls.NewListener(ln, &tls.Config{Certificates: https.TLS.Certificates})
	}
	go func() { // ends with the listener
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() { // ends with the connection
				defer conn.Close()
				time.Sleep(delay)
				behind, err := net.Dial("tcp", agent)
				if err != nil {
					return
				}
				defer behind.Close()
				go func() { // ends with the connection
					_, _ = io.Copy(behind, conn)
					behind.Close()
				}()
				_, _ = io.Copy(conn, behind)
			}()
		}
	}()
	return addr
}

// config returns the configuration of a specimen, with the addresses of an agent and a
// site.
func (s specimen) config(t *testing.T, bin haproxytest.Binary, want seen, agent, site string) haproxytest.Config {
	replace := strings.NewReplacer("127.0.0.1:8080", `{{addr "http"}}`, "127.0.0.1:8081", site, "127.0.0.1:9000", agent)
	file := func(name string) string { return replace.Replace(haproxytest.ReadConfig(t, name)) }
	return haproxytest.Config{
		Config: file(filepath.Join(s.dir, "haproxy.cfg")),
		Files:  map[string]string{"common.cfg": file("testdata/specimens/common.cfg"), "spoe.conf": file(filepath.Join(s.dir, "spoe.conf"))},
		Args:   []string{"-f", "common.cfg"},
		Env:    []string{"AGENT=" + agent},
	}
}

// request sends the requests and returns the status of the last one.
func (s specimen) request(t *testing.T, h *haproxytest.HAProxy, want seen, agent *asked) int {
	t.Helper()
	if want.Long > 0 {
		want.Headers = append(slices.Clone(want.Headers), "X-Long", strings.Repeat("l", want.Long))
	}
	if want.Closes {
		return halfClosed(t, h.Addr("http"), cmp.Or(want.Target, "/"), agent)
	}
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
		if want.Body > 0 {
			req.Method, req.ContentLength = http.MethodPost, int64(want.Body)
			req.Body = io.NopCloser(strings.NewReader(strings.Repeat("b", want.Body)))
		}
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

// halfClosed sends a request, closes its sending side while HAProxy waits for the agent,
// and returns the status of the response, or 0 where there is none.
func halfClosed(t *testing.T, addr, target string, agent *asked) int {
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "GET "+target+" HTTP/1.1\r\nHost: site.example\r\nConnection: close\r\n\r\n")
	require.NoError(t, err)
	agent.wait(t)
	require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0
	}
	resp.Body.Close()
	return resp.StatusCode
}

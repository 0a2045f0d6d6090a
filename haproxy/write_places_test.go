package haproxy_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/haproxy"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe/spoetest"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

// TestWrittenEngines: two engines ask one agent, each with its own prefix and its own
// time, from one SPOE file.
func TestWrittenEngines(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		r := router.New()
		r.Handle("fast", func(context.Context, client) (sure, error) { return sure{Known: true}, nil }).Event(router.OnFrontendHTTPRequest)
		r.Handle("late", func(context.Context, client) (sure, error) { return sure{Known: true}, nil }).Event(router.OnHTTPResponse).Engine("late-1")
		f := write(t, r, haproxy.Config{Engine: "guard", FailClosed: true, Processing: 5 * time.Second,
			Engines: map[string]haproxy.Engine{"late-1": {Processing: 6 * time.Second}}})
		assert.Contains(t, f.SPOE, "timeout processing 5s\n")
		assert.Contains(t, f.SPOE, "timeout processing 6s\n")
		assert.Contains(t, f.Frontend, "http-response deny deny_status 502 unless { var(txn.late_1.known) -m found }")
		assert.Equal(t, 200, status(haproxytest.Start(t, bin, site(t, f, spoetest.Serve(t, r), "")), "/"))
		assert.Equal(t, 503, status(haproxytest.Start(t, bin, site(t, f, "127.0.0.1:1", "")), "/"))
	})
}

// TestWrittenUniqueID: unique-id has a value, as Write writes its format.
func TestWrittenUniqueID(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		ids := make(chan string, 1)
		r := router.New()
		r.Handle("m", func(_ context.Context, in struct {
			ID string `spoe:"id,required" fetch:"unique-id"`
		}) (sure, error) {
			ids <- in.ID
			return sure{}, nil
		}).Event(router.OnFrontendHTTPRequest)
		f := write(t, r, haproxy.Config{Engine: "guard", FailClosed: true, Processing: 5 * time.Second})
		assert.Equal(t, 200, status(haproxytest.Start(t, bin, site(t, f, spoetest.Serve(t, r), "")), "/"))
		assert.NotEmpty(t, <-ids)
	})
}

// TestWrittenAgentCheck: HAProxy obeys the answer of the agent-check.
func TestWrittenAgentCheck(t *testing.T) {
	check, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { check.Close() })
	go func() { // ends with the listener
		for {
			conn, err := check.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, "drain\n")
			conn.Close()
		}
	}()
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		r := router.New()
		r.Handle("m", func(context.Context, client) (sure, error) { return sure{}, nil }).Event(router.OnFrontendHTTPRequest)
		f := write(t, r, haproxy.Config{Engine: "guard", AgentCheckPort: check.Addr().(*net.TCPAddr).Port})
		h := haproxytest.Start(t, bin, site(t, f, spoetest.Serve(t, r), ""))
		assert.Eventually(t, func() bool {
			return strings.Contains(h.Command("show stat"), "DRAIN")
		}, 30*time.Second, 50*time.Millisecond)
	})
}

// TestWrittenAffinity: the second message of a request reaches the agent that answered
// the first one. From HAProxy 3.1 on rules of the agents' backend choose it, and rules of
// the frontend in files for older versions, or for all.
func TestWrittenAffinity(t *testing.T) {
	agent := func(name string, group bool) *router.Router {
		r := router.New()
		first := r.Handle("first", func(context.Context, client) (out struct {
			Agent string `spoe:"agent"`
		}, err error) {
			out.Agent = name
			time.Sleep(2 * time.Millisecond)
			return out, nil
		}).Event(router.OnFrontendHTTPRequest)
		second := r.Handle("second", func(_ context.Context, in struct {
			Agent string `spoe:"agent" fetch:"var(txn.guard.agent)"`
		}) (out struct {
			Same bool `spoe:"same"`
		}, err error) {
			out.Same = in.Agent == name
			return out, nil
		}).Event(router.OnHTTPResponse)
		if group {
			first.Group("requests")
			second.Group("responses")
			r.Handle("before", func(context.Context, client) (out struct {
				Before bool `spoe:"before"`
			}, err error) {
				out.Before = true
				return out, nil
			}).Event(router.OnFrontendHTTPRequest).Group("others")
		}
		return r
	}
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		for _, version := range []string{"", "3.0", "3.1"} {
			if version == "3.1" && !bin.AtLeast("3.1") {
				continue
			}
			groups := version != "3.1"
			c := haproxy.Config{Engine: "guard", Affinity: "agent", Version: version, FailClosed: true, Processing: 5 * time.Second}
			c.Agents = []string{spoetest.Serve(t, agent("agent1", groups)), spoetest.Serve(t, agent("agent2", groups))}
			f := write(t, agent("", groups), c)
			f.Frontend += "    http-response set-header X-Same %[var(txn.guard.same)]\n    http-response set-header X-Agent %[var(txn.guard.agent)]\n"
			if groups {
				f.Frontend += "    http-response set-header X-Before %[var(txn.guard.before)]\n"
			}
			h := haproxytest.Start(t, bin, site(t, f, "", ""))
			asked := map[string]int{}
			var mu sync.Mutex // guards asked
			var clients sync.WaitGroup
			for range 8 { // at once: HAProxy up to 3.0 uses a connection to one agent as long as it is free
				clients.Go(func() {
					for range 10 {
						header := h.Get("/").Header
						mu.Lock()
						asked[header.Get("X-Agent")]++
						mu.Unlock()
						assert.Equal(t, groups, header.Get("X-Before") == "1", "a group of its own")
						assert.Equal(t, "1", header.Get("X-Same"), "version %q", version)
					}
				})
			}
			clients.Wait()
			assert.Len(t, asked, 2, "version %q: both agents are asked: %v", version, asked)
			h.Close()
		}
	})
	_, err := haproxy.Write(haproxy.Describe(agent("", false)), haproxy.Config{Engine: "guard", Affinity: "agent", Agents: []string{"127.0.0.1:1", "127.0.0.1:2"}})
	assert.NotContains(t, err.Error(), `Config.Affinity needs the message "first" in a group`)
	assert.ErrorContains(t, err, `Config.Affinity needs the message "second" in a group`)
}

// TestWrittenSNI: a group on tcp-request content rules has the server name of the
// TLS hello, and its verdict refuses a connection.
func TestWrittenSNI(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		names := make(chan string, 10)
		r := router.New()
		r.Handle("hello", func(_ context.Context, in struct {
			SNI string `spoe:"sni" fetch:"req.ssl_sni"`
		}) (sure, error) {
			names <- in.SNI
			return sure{}, nil
		}).Event(router.OnFrontendTCPRequest).Group("sni")
		f := write(t, r, haproxy.Config{Engine: "guard", FailClosed: true, Processing: 5 * time.Second})
		for agent, asked := range map[string]bool{spoetest.Serve(t, r): true, "127.0.0.1:1": false} {
			origin, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			t.Cleanup(func() { origin.Close() })
			reached := make(chan bool, 1)
			go func() { // ends with the listener
				conn, err := origin.Accept()
				if err == nil {
					reached <- true
					conn.Close()
				}
			}()
			h := haproxytest.Start(t, bin, haproxytest.Config{
				Config: "{{defaults \"tcp\"}}\n" +
					"frontend tls\n    bind {{addr \"tls\"}}\n" + f.Frontend + "    default_backend site\nbackend site\n    server s " + origin.Addr().String() + "\n",
				Files: map[string]string{"spoe.conf": f.SPOE, "agents.cfg": strings.ReplaceAll(f.Backend, "127.0.0.1:9000", agent)},
				Args:  []string{"-f", "agents.cfg"},
			})
			conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 5 * time.Second}, "tcp", h.Addr("tls"), &tls.Config{ServerName: "shop.example"})
			if err == nil {
				conn.Close()
			}
			if asked {
				assert.Equal(t, "shop.example", <-names)
				assert.True(t, <-reached)
				continue
			}
			select {
			case <-reached:
				t.Error("the connection reached the site without a verdict")
			case <-time.After(200 * time.Millisecond):
			}
		}
	})
}

// TestWriteRefusesContent: on a TCP event these samples are always NULL.
func TestWriteRefusesContent(t *testing.T) {
	for _, fetch := range []string{"req.ssl_sni", "req.len", "req.payload(0,10)"} {
		a := haproxy.Agent{Messages: []haproxy.Message{{Name: "m", Event: "on-frontend-tcp-request", Args: []haproxy.Arg{{Name: "a", Fetch: fetch}}}}}
		_, err := haproxy.Write(a, haproxy.Config{Engine: "e"})
		assert.ErrorContains(t, err, `add .Group("name") for a rule that waits for them`, fetch)
	}
}

// TestWriteKeepsApart: up to HAProxy 2.4.0 an engine with events and groups asks for
// ever, so groups have an engine of their own.
func TestWriteKeepsApart(t *testing.T) {
	for version, engines := range map[string]int{"2.2": 2, "2.4": 2, "2.6": 1, "": 1} {
		f := write(t, guard(), haproxy.Config{Engine: "guard", Version: version})
		assert.Equal(t, engines, strings.Count(f.SPOE, "\nspoe-agent "), version)
		assert.Equal(t, engines, strings.Count(f.Frontend, "filter spoe"), version)
	}
	_, err := haproxy.Write(haproxy.Describe(guard()), haproxy.Config{Engine: "e", Version: "2.4", Agents: []string{`"${A-127.0.0.1:9000}"`}})
	assert.ErrorContains(t, err, "has a default, which HAProxy before 2.6 does not know")
	_, err = haproxy.Write(haproxy.Describe(guard()), haproxy.Config{Engine: "e", Engines: map[string]haproxy.Engine{"x": {}}, AgentCheckPort: 70000})
	assert.ErrorContains(t, err, `Config.Engines has "x", which no route names`)
	assert.ErrorContains(t, err, "Config.AgentCheckPort is 70000: write the port")
}

// TestWriteOldVersions: Write refuses messages that an old HAProxy never sends.
func TestWriteOldVersions(t *testing.T) {
	for want, m := range map[string]haproxy.Message{
		"HAProxy before 2.4 never sends a group by tcp-response rules": {Name: "m", Event: "on-tcp-response", Group: "g"},
		"HAProxy before 2.4 cannot wait for the body of a response":    {Name: "m", Event: "on-http-response", Group: "g", Args: []haproxy.Arg{{Name: "b", Fetch: "res.body"}}},
	} {
		a := haproxy.Agent{Messages: []haproxy.Message{m}}
		_, err := haproxy.Write(a, haproxy.Config{Engine: "e", Version: "2.2"})
		assert.ErrorContains(t, err, want)
		_, err = haproxy.Write(a, haproxy.Config{Engine: "e", Version: "2.6"})
		assert.NoError(t, err)
	}
}

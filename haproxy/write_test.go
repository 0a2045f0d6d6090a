package haproxy_test

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/haproxy"
	finding "github.com/spoke-go/spoke/haproxy/internal/check"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares a text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
}

func write(t *testing.T, r *router.Router, c haproxy.Config) haproxy.Files {
	t.Helper()
	f, err := haproxy.Write(haproxy.Describe(r), c)
	require.NoError(t, err)
	return f
}

func TestWrite(t *testing.T) {
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			f := write(t, v.router(), v.config)
			golden(t, "write/"+v.name+".spoe.conf", f.SPOE)
			golden(t, "write/"+v.name+".agents.cfg", f.Backend)
			golden(t, "write/"+v.name+".frontend.cfg", f.Frontend)
			if f.Site != "" {
				golden(t, "write/"+v.name+".site.cfg", f.Site)
			}
			for range 10 {
				assert.Equal(t, f, write(t, v.router(), v.config), "it depends on nothing else")
			}
		})
	}
}

// around is a haproxy.cfg in which only the frontend is hand-written.
func around(f haproxy.Files, agent string) haproxytest.Config {
	return haproxytest.Config{
		Config: `
global
    log stdout format raw local0
{{defaults "http"}}
frontend www
    bind {{addr "http"}}
` + f.Frontend + `
    http-request return status 200 hdr X-Score %[var(txn.guard.score)] hdr X-IP-Score %[var(sess.guard.ip_score)] hdr X-Error %[var(txn.guard.error)] if { path -m beg / }
`,
		Files: map[string]string{"spoe.conf": f.SPOE, "agents.cfg": strings.ReplaceAll(f.Backend, "127.0.0.1:9000", agent)},
		Args:  []string{"-f", "agents.cfg"},
	}
}

// TestWrittenIsValid: each HAProxy takes what is written for it, without a warning.
func TestWrittenIsValid(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		for _, v := range variants {
			if v.config.Version != "" && bin.AtLeast("3.1") != (v.config.Version == "3.2") {
				continue // for another one
			}
			t.Run(v.name, func(t *testing.T) {
				v.config.SPOEFile = ""
				if v.config.Version == "" {
					v.config.Version = versionFor(bin)
				}
				if _, err := haproxy.Write(haproxy.Describe(v.router()), v.config); err != nil {
					require.ErrorContains(t, err, "has a default, which HAProxy before 2.6 does not know")
					return
				}
				warnings, err := haproxytest.Check(t, bin, around(write(t, v.router(), v.config), "127.0.0.1:9000"))
				require.NoError(t, err)
				assert.Empty(t, warnings)
			})
		}
	})
}

// TestWrittenHasNoFindings: the written configuration fits its routes.
func TestWrittenHasNoFindings(t *testing.T) {
	for _, v := range variants {
		v.config.SPOEFile = ""
		f := write(t, v.router(), v.config)
		dir := t.TempDir()
		cfg := around(f, "127.0.0.1:9000")
		// Other variables that the frontend reads are guard's.
		head, _, _ := strings.Cut(cfg.Config, "    http-request return")
		for name, text := range map[string]string{"haproxy.cfg": head, "agents.cfg": f.Backend, "spoe.conf": f.SPOE} {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
		}
		found, err := haproxy.Check(haproxy.Describe(v.router()), haproxy.Sources{
			Configs: []string{filepath.Join(dir, "agents.cfg"), filepath.Join(dir, "haproxy.cfg")},
		})
		require.NoError(t, err)
		// Of a required argument that can be NULL the written file warns as well.
		warned := slices.DeleteFunc(slices.Clone(found), func(f haproxy.Finding) bool { return f.Code != finding.RequiredNull })
		if len(warned) > 0 {
			assert.Contains(t, f.SPOE, "WARNING: NULL for", v.name)
		}
		assert.Len(t, found, len(warned), "%s: %v", v.name, found)
	}
}

// TestWrittenWorks: an agent of three messages behind each HAProxy, with a hand-written
// frontend only.
func TestWrittenWorks(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		counted := make(chan int, 10)
		r := router.New()
		r.ErrorVar(spoe.VarScopeTransaction, "failed")
		r.Use(within(5 * time.Second)) // the machine may be busy
		r.Handle("check", judge).Event(router.OnFrontendHTTPRequest)
		r.Handle("ip-rep", look).Group("ask")
		r.Observe("count", func(_ context.Context, in response) error {
			counted <- in.Status
			return nil
		}).Event(router.OnHTTPResponse).Unless("{ status 404 }")

		h := haproxytest.Start(t, bin, around(write(t, r, haproxy.Config{Engine: "guard", FailClosed: true, Version: versionFor(bin)}), spoetest.Serve(t, r)))
		resp := h.Get("/")
		assert.Equal(t, 200, resp.Status)
		assert.Equal(t, "100", resp.Header.Get("X-Score"))
		assert.Equal(t, "100", resp.Header.Get("X-IP-Score"))
		assert.Empty(t, resp.Header.Get("X-Error"))
		assert.Equal(t, "0", h.Get("/.env").Header.Get("X-Score"))
	})
}

// TestWrittenFailsClosed: without an agent a request is refused, or passes.
func TestWrittenFailsClosed(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		for closed, status := range map[bool]int{true: 503, false: 200} {
			f := write(t, guard(), haproxy.Config{Engine: "guard", FailClosed: closed, Agents: []string{"127.0.0.1:1"}})
			h := haproxytest.Start(t, bin, around(f, ""))
			assert.Equal(t, status, h.Get("/").Status)
		}
	})
}

// TestWrittenTellsFailures: of two messages that set the same variable one fails,
// and the answer of the other one does not hide it.
func TestWrittenTellsFailures(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		r := router.New()
		r.ErrorVar(spoe.VarScopeTransaction, "failed")
		r.Use(within(5 * time.Second))
		r.Handle("check", func(context.Context, visit) (out struct {
			Score int  `spoe:"score"`
			First bool `spoe:"first"`
		}, err error) {
			return out, nil
		}).Event(router.OnFrontendHTTPRequest)
		type again struct {
			Score int `spoe:"score"`
			Again int `spoe:"again"`
		}
		r.Handle("again", func(_ context.Context, in visit) (again, error) {
			if in.Path == "/fail" {
				return again{}, errors.New("on purpose")
			}
			return again{}, nil
		}).Event(router.OnFrontendHTTPRequest)
		h := haproxytest.Start(t, bin, around(write(t, r, haproxy.Config{Engine: "guard", FailClosed: true}), spoetest.Serve(t, r)))
		assert.Equal(t, 200, h.Get("/").Status)
		assert.Equal(t, 503, h.Get("/fail").Status)
	})
}

// TestWrittenLong: lists of more words than HAProxy takes in a line.
func TestWrittenLong(t *testing.T) {
	var a haproxy.Agent
	for i := range 70 {
		n := strconv.Itoa(i)
		a.Messages = append(a.Messages,
			haproxy.Message{Name: "event-" + n, Event: string(router.OnFrontendHTTPRequest), Vars: []haproxy.Var{{Scope: "txn", Name: "ok" + n, Always: true}}},
			haproxy.Message{Name: "of-all-" + n, Group: "all"},
			haproxy.Message{Name: "alone-" + n, Group: "group-" + n})
		a.Messages[0].Args = append(a.Messages[0].Args, haproxy.Arg{Name: "a" + n, Fetch: "src"})
	}
	f, err := haproxy.Write(a, haproxy.Config{Engine: "guard", FailClosed: true, Processing: 4 * time.Minute})
	require.NoError(t, err)
	assert.Equal(t, 10, strings.Count(f.Frontend, "\n    http-request deny"))
	assert.Contains(t, f.Backend, "timeout server 6m")
	assert.Contains(t, f.SPOE, "timeout idle 5m")
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		warnings, err := haproxytest.Check(t, bin, around(f, "127.0.0.1:9000"))
		require.NoError(t, err)
		assert.Empty(t, warnings)
	})
}

// TestWriteNumbers: times that HAProxy counts in whole milliseconds, and a buffer
// that is never smaller than it is anyway.
func TestWriteNumbers(t *testing.T) {
	for processing, want := range map[time.Duration]string{
		1: "1ms", 1500 * time.Microsecond: "2ms", 90 * time.Second: "90s", 0: "500ms",
	} {
		r := router.New()
		r.HandleRaw("m", spoe.HandlerFunc(raw)).Event(router.OnClientSession).Buffer(8 << 10)
		f := write(t, r, haproxy.Config{Engine: "e", Processing: processing})
		assert.Contains(t, f.SPOE, "    timeout processing "+want+"\n")
		assert.NotContains(t, f.Backend, "tune.bufsize")
	}
}

// TestWriteNilAnswer: an answer that is nil sets nothing, and is one.
func TestWriteNilAnswer(t *testing.T) {
	none := func(context.Context, client) (*verdict, error) { return nil, nil }
	r := router.New()
	r.Handle("m", none).Event(router.OnFrontendHTTPRequest)
	_, err := haproxy.Write(haproxy.Describe(r), haproxy.Config{Engine: "e", FailClosed: true})
	assert.ErrorContains(t, err, "cannot fail closed: no variable is set with each answer")
	f := write(t, r, haproxy.Config{Engine: "e"})
	assert.Contains(t, f.Frontend, "#http-request deny deny_status 503 if { var(txn.e.error) -m found }")
	assert.Contains(t, f.SPOE, "# sets txn.e.score: INT64, not always")
}

// TestWriteNested: a struct without a pointer is there, and so are its variables.
func TestWriteNested(t *testing.T) {
	r := router.New()
	r.Handle("m", func(context.Context, client) (out struct {
		Inner verdict `spoe:"inner"`
		Other *struct {
			Score int `spoe:"score"`
		} `spoe:"other"`
	}, err error) {
		return out, nil
	}).Event(router.OnFrontendHTTPRequest)
	f := write(t, r, haproxy.Config{Engine: "e"})
	assert.Contains(t, f.Frontend, "unless { var(txn.e.inner.score) -m found }")
	assert.Contains(t, f.SPOE, "# sets txn.e.other.score: INT64, not always")
}

// TestWrittenConditional: where a message is sent to some requests, these alone
// fail closed, and they do even where the agent acknowledges and sets nothing.
func TestWrittenConditional(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		f := write(t, conditional(), haproxy.Config{Engine: "guard", FailClosed: true})
		knows := haproxytest.Start(t, bin, around(f, spoetest.Serve(t, conditional())))
		not := haproxytest.Start(t, bin, around(f, spoetest.Serve(t, router.New())))
		post := func(h *haproxytest.HAProxy, path string) int {
			resp, err := h.Client().Post(h.URL+path, "text/plain", nil)
			require.NoError(t, err)
			resp.Body.Close()
			return resp.StatusCode
		}
		for _, path := range []string{"/", "/a", "/b"} {
			assert.Equal(t, 200, knows.Get(path).Status, path)
			assert.Equal(t, 200, post(knows, path), path)
		}
		assert.Equal(t, 200, not.Get("/a").Status)
		assert.Equal(t, 200, post(not, "/c"))
		assert.Equal(t, 503, post(not, "/a"))
		assert.Equal(t, 503, not.Get("/b").Status)
	})
}

// TestWriteConditions: the rules that fail closed repeat the condition of the event,
// or Write refuses it.
func TestWriteConditions(t *testing.T) {
	for condition, want := range map[string]string{
		"if { path_beg /a } !METH_GET { src 10.0.0.0/8 } ! { req.hdr(a),lower -m str or }": "if { path_beg /a } !METH_GET { src 10.0.0.0/8 } !{ req.hdr(a),lower -m str or } !V",
		"if METH_GET OR METH_PUT":                                            "if METH_GET !V|if METH_PUT !V",
		"if { path /a } || { path \"/b c\" } { src ::1 }":                    "if { path /a } !V|if { path \"/b c\" } { src ::1 } !V",
		"unless { path_beg /_sso/ }":                                         "if !{ path_beg /_sso/ } !V",
		"unless { path /a } !{ src ::1 } or METH_GET":                        "if !{ path /a } !METH_GET !V|if { src ::1 } !METH_GET !V",
		"if { req.body_len gt 0 }":                                           "if { req.body_len gt 0 } !V",
		"if !{ var(sess.asked) -m found }":                                   "if !{ var(sess.asked) -m found } !V",
		"if { var(txn.e.v) -m found }":                                       "",
		"if { rand(2) eq 0 }":                                                "",
		"if { src,table_http_req_rate(st) gt 9 }":                            "",
		"if { src_http_req_rate gt 9 }":                                      "",
		"if WAIT_END":                                                        "",
		"if { path" + strings.Repeat(" /a", 40) + " }":                       "",
		"unless " + strings.Repeat("METH_GET LOCALHOST or ", 5) + "METH_PUT": "",
	} {
		a := haproxy.Agent{Messages: []haproxy.Message{{Name: "m", Event: "on-frontend-http-request", Condition: condition, Vars: []haproxy.Var{{Scope: "txn", Name: "v", Always: true}}}}}
		f, err := haproxy.Write(a, haproxy.Config{Engine: "e", FailClosed: true})
		if want == "" {
			assert.ErrorContains(t, err, "no rule can repeat the condition", condition)
			continue
		}
		require.NoError(t, err)
		var got []string
		for line := range strings.Lines(f.Frontend) {
			if rule, ok := strings.CutPrefix(strings.TrimSpace(line), "http-request deny deny_status 503 "); ok {
				got = append(got, strings.ReplaceAll(rule, "{ var(txn.e.v) -m found }", "V"))
			}
		}
		assert.Equal(t, want, strings.Join(got, "|"), condition)
	}
}

func TestWriteRefuses(t *testing.T) {
	typed := func(fetches bool) *router.Router {
		r := router.New()
		r.Use(within(time.Second))
		s := r.Observe("m", func(context.Context, struct {
			IP   string `spoe:"ip"`
			Last string `spoe:",pos=5" fetch:"path"`
		}) error {
			return nil
		})

		if fetches {
			s.Event(router.OnClientSession).Arg("ip", "src dst").Arg("", "req.hdr(a=b)").Arg("q", `str("a)`)
		}
		return r
	}
	refused := func(r *router.Router, c haproxy.Config) string {
		_, err := haproxy.Write(haproxy.Describe(r), c)
		require.Error(t, err)
		text := err.Error()
		for _, m := range haproxy.Describe(r).Messages {
			text = strings.ReplaceAll(text, m.Site, "FILE:LINE")
		}
		return text
	}
	refusedAgent := func(a haproxy.Agent) string {
		_, err := haproxy.Write(a, haproxy.Config{Engine: "e"})
		require.Error(t, err)
		return err.Error()
	}
	long := router.New()
	long.HandleRaw("m", spoe.HandlerFunc(raw)).Event(router.OnClientSession).Var(spoe.VarScopeSession, strings.Repeat("x", 50))
	odd := router.New()
	odd.Use(within(1200 * time.Microsecond))
	odd.HandleRaw("m", spoe.HandlerFunc(raw)).Event(router.OnFrontendHTTPRequest).If("is_api { path /a }").Buffer(256<<20).
		Arg("a#b", "src").Arg("b", " src").Arg("c", "src#x").Arg("d", `str(a)\`).Arg("e", `"${HOME"`).
		Var(spoe.VarScopeTransaction, "error")
	odd.HandleRaw("n", spoe.HandlerFunc(raw)).Event(router.OnFrontendHTTPRequest).Unless("{ path /a#b }")
	odd.HandleRaw("o", spoe.HandlerFunc(raw)).Event(router.OnFrontendHTTPRequest).If(`!{ path /a\#b "/c d" } METH_GET or LOCALHOST`)
	forms := router.New()
	forms.Observe("m", func(context.Context, struct {
		Cents int    `spoe:"cents" fetch:"url_param(cents)"`
		Agent string `spoe:"agent" fetch:"agent=req.hdr(user-agent)"`
	}) error {
		return nil
	}).Event(router.OnFrontendHTTPRequest)
	golden(t, "refused.txt", strings.Join([]string{
		refused(forms, haproxy.Config{Engine: "e"}),
		refused(router.New(), haproxy.Config{}),
		refused(typed(false), haproxy.Config{Engine: "a b", Backend: "ä", Prefix: "a-b", Agents: []string{"a b"}, ServerOptions: "'", SPOEFile: "", Version: "new", Processing: time.Second}),
		refused(typed(true), haproxy.Config{Engine: "e", SPOEFile: "a b"}),
		refused(long, haproxy.Config{Engine: "a-long-name"}),
		refused(odd, haproxy.Config{Engine: strings.Repeat("e", 50), Agents: []string{"unix@/run/a#b", "127.0.0.1:9000\n", `""`}, ServerOptions: "weight 1 # x", SPOEFile: `spoe.conf\`, Processing: 20 * 24 * time.Hour}),
		refusedAgent(haproxy.Agent{Messages: []haproxy.Message{{Name: "m", Event: "on-fire"}}}),
	}, "\n--\n")+"\n")
}

// TestWriteEventAndGroup: a message with both is sent by its group's rule, and its
// event carries the condition.
func TestWriteEventAndGroup(t *testing.T) {
	r := router.New()
	r.Handle("m", judge).Event(router.OnFrontendHTTPRequest).If("{ path_beg /a }").Group("ask")
	f := write(t, r, haproxy.Config{Engine: "e"})
	assert.Contains(t, f.SPOE, "    event on-frontend-http-request if { path_beg /a }\n")
	assert.Contains(t, f.SPOE, "spoe-group ask\n    messages m\n")
	assert.NotContains(t, f.SPOE, "Sent on events")
	assert.Contains(t, f.Frontend, "http-request send-spoe-group e ask")
}

// TestQuotedSamples: quotes do not hide what a sample is.
func TestQuotedSamples(t *testing.T) {
	agent := func(fetch string) haproxy.Agent {
		return haproxy.Agent{Messages: []haproxy.Message{{Name: "m", Event: "on-frontend-http-request", Args: []haproxy.Arg{{Name: "a", Fetch: fetch}}}}}
	}
	_, err := haproxy.Write(agent(`"res.hdr(x y)"`), haproxy.Config{Engine: "e"})
	assert.ErrorContains(t, err, "on on-frontend-http-request, and refuses it")
	f, err := haproxy.Write(agent(`"req.body"`), haproxy.Config{Engine: "e"})
	require.NoError(t, err)
	assert.Contains(t, f.Frontend, "option http-buffer-request")
}

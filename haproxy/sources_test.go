package haproxy_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/haproxy"
	finding "github.com/spoke-go/spoke/haproxy/internal/check"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
)

// good is testdata/good with changes.
func good(t *testing.T, oldnew ...string) map[string]string {
	t.Helper()
	files := map[string]string{}
	used := strings.Builder{}
	for _, name := range []string{"haproxy.cfg", "spoe.conf"} {
		b, err := os.ReadFile(filepath.Join("testdata/good", name))
		require.NoError(t, err)
		used.Write(b)
		files[name] = strings.NewReplacer(oldnew...).Replace(string(b))
	}
	for i := 0; i < len(oldnew); i += 2 {
		require.Contains(t, used.String(), oldnew[i])
	}
	return files
}

func codes(found []haproxy.Finding) []string {
	names := []string{}
	for _, f := range found {
		names = append(names, f.Code)
	}
	return names
}

// TestSources: other ways to write the same configuration have no findings, and
// mistakes are found in each way of writing.
func TestSources(t *testing.T) {
	const (
		filter = "config spoe.conf"
		option = "    option http-buffer-request\n"
		rule   = "    http-request send-spoe-group shop ask unless { path -m beg /static/ }\n"
		event  = "event on-frontend-http-request"
		// It reads a variable that a later event sets.
		verdict = "    http-request deny deny_status 403 if { var(txn.shop.verdict) -m str block }\n"
		checks  = "    option spop-check\n    default-server check inter 1s\n"
		// The message count is another engine's.
		second = "[late]\nspoe-agent late\n    use-backend shop-agents\n    messages count\n    option set-on-error error\n    timeout processing 50ms\n"
		count  = "spoe-message count\n    args status=status\n    event on-http-response\n"
	)
	for _, tt := range []struct {
		name   string
		files  map[string]string
		change func(s *haproxy.Sources, dir string)
		want   []string
	}{
		{name: "default-path", files: good(t, "global\n", "global\n    default-path config\n")},
		{name: "origin", files: good(t, "global\n", "global\n    default-path origin ORIGIN\n"),
			change: func(_ *haproxy.Sources, dir string) { edit(t, dir, "haproxy.cfg", "ORIGIN", dir) }},
		{name: "an absolute path", files: good(t, filter, "config DIR/spoe.conf"),
			change: func(_ *haproxy.Sources, dir string) { edit(t, dir, "haproxy.cfg", "DIR", dir) }},
		{name: "the environment", files: good(t, filter, `config "${CONF}/spoe.conf"`, "server agent1 127.0.0.1:9000", `server agent1 "${AGENT-127.0.0.1:9000}"`),
			change: func(s *haproxy.Sources, dir string) {
				s.LookupEnv = func(name string) (string, bool) { return dir, name == "CONF" }
			}},
		{name: "setenv", files: good(t, "presetenv SITE 127.0.0.1:8081", "presetenv SITE 127.0.0.1:8081\n    setenv FILE spoe.conf", filter, `config "$FILE"`)},
		{name: "another name", files: good(t, filter, "config nowhere.conf"),
			change: func(s *haproxy.Sources, dir string) { s.SPOE = filepath.Join(dir, "spoe.conf") }},
		{name: "a folder", files: good(t), change: func(s *haproxy.Sources, dir string) { s.Configs = []string{dir} }},
		{name: "a folder with what is no configuration", files: good(t), change: func(s *haproxy.Sources, dir string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, ".#haproxy.cfg"), []byte(".endif"), 0o600))
			require.NoError(t, os.Mkdir(filepath.Join(dir, "old.cfg"), 0o700))
			s.Configs = []string{dir}
		}},
		{name: "several words of the environment", files: good(t, "    default-server check inter 1s\n", "", "127.0.0.1:9000", `127.0.0.1:9000 "${OPTIONS[*]}"`, "127.0.0.1:9001", `127.0.0.1:9001 "${OPTIONS[*]}"`),
			change: func(s *haproxy.Sources, _ string) {
				s.LookupEnv = func(name string) (string, bool) { return "check inter 1s", name == "OPTIONS" }
			}},
		{name: "one of two buffers", files: good(t, "    tune.bufsize 32768", ".if feature(X)\n    tune.bufsize 32768\n.else\n    tune.bufsize 16384\n.endif")},
		{name: "not the other buffer", files: good(t, "    tune.bufsize 32768", ".if 0\n    tune.bufsize 32768\n.elif 1\n    tune.bufsize 16384\n.else\n    tune.bufsize 32768\n.endif"), want: []string{finding.BufferTooSmall}},
		{name: "one of two times", files: good(t, "    timeout processing 200ms", ".if feature(X)\n    timeout processing 200ms\n.else\n    timeout processing 50ms\n.endif")},
		{name: "frames before 3.1", files: good(t, "    timeout idle 2m\n", "    timeout idle 2m\n    max-frame-size 8192\n"),
			change: func(s *haproxy.Sources, _ string) { s.Version = "3.0" }},
		{name: "a version", files: good(t, "    tune.bufsize 32768", ".if version_atleast(3.0)\n    tune.bufsize 32768\n.else\n    tune.bufsize 16384\n.endif"),
			change: func(s *haproxy.Sources, _ string) { s.Version = "3.2" }},
		{name: "an older version", files: good(t, "    tune.bufsize 32768", ".if version_before(3.0)\n    tune.bufsize 16k\n.elif version_atleast(3.1)\n    tune.bufsize 16384\n.else\n    tune.bufsize 32k\n.endif"),
			change: func(s *haproxy.Sources, _ string) { s.Version = "2.6" }, want: []string{finding.BufferTooSmall}},
		{name: "a branch that is off", files: good(t, "    option spop-check", ".if 0\n.if feature(X)\n    option spop-check\n.endif\n.endif"), want: []string{finding.NoHealthCheck}},
		{name: "a buffer that comes too late", files: good(t, "    tune.bufsize 32768\n", "", "\nbackend site\n", "\nglobal\n    tune.bufsize 32768\nbackend site\n"), want: []string{finding.BufferTooSmall}},
		{name: "a buffer that does not come too late for fragments", files: good(t, "    tune.bufsize 32768\n", "", "\nbackend site\n", "\nglobal\n    tune.bufsize 32768\nbackend site\n"),
			change: func(s *haproxy.Sources, _ string) { s.Version = "3.0" }},
		{name: "defaults", files: good(t, "    option http-buffer-request\n", "", "defaults\n", "defaults\n    option http-buffer-request\n")},
		{name: "named defaults", files: good(t, "    option http-buffer-request\n", "", "defaults\n", "defaults plain\n    option http-buffer-request\n    mode http\ndefaults\n", "frontend www", "frontend www from plain")},
		{name: "not with another's defaults", files: good(t, "    option http-buffer-request\n", "", "\nbackend site", "\ndefaults later\n    option http-buffer-request\n    timeout connect 5s\n    timeout server 3m\nbackend site", "    option spop-check", "    option spop-check\n    timeout check 1s"), want: []string{finding.BodyNotBuffered}},
		{name: "no option", files: good(t, "    filter spoe", "    no option http-buffer-request\n    filter spoe"), want: []string{finding.BodyNotBuffered}},
		{name: "the frontend waits for the backend's filter", files: good(t, verdict, "", "    filter spoe engine shop config spoe.conf\n", "", rule, "", "\nbackend site\n", "\nbackend site\n    filter spoe engine shop config spoe.conf\n    http-request send-spoe-group shop ask\n", event, "event on-backend-http-request")},
		{name: "the backend waits for the frontend's filter", files: good(t, verdict, "", option, "", "\nbackend site\n", "\nbackend site\n"+option, event, "event on-backend-tcp-request")},
		{name: "a backend waits too late for the frontend", files: good(t, option, "", "\nbackend site\n", "\nbackend site\n"+option), want: []string{finding.BodyNotBuffered}},
		{name: "a body before there is a request", files: good(t, event, "event on-frontend-tcp-request", " unless proxied", ""), want: []string{finding.BodyNotBuffered}},
		{name: "a body that is gone", files: good(t, verdict, "", event, "event on-server-session"), want: []string{finding.BodyNotBuffered}},
		{name: "wait-for-body is too late for an event", files: good(t, "    option http-buffer-request\n", "    http-request wait-for-body time 1s\n"), want: []string{finding.BodyNotBuffered}},
		{name: "wait-for-body before a rule", files: good(t, "    option http-buffer-request\n", "    http-request wait-for-body time 1s\n",
			"messages scan count", "messages count", "    event on-frontend-http-request unless proxied\n", "", "messages ip-rep", "messages ip-rep scan", "    acl proxied var(txn.proxied) -m bool\n", "")},
		{name: "wait-for-body behind a rule", files: good(t, "    option http-buffer-request\n", "", "    default_backend site\n", "    http-request wait-for-body time 1s\n    default_backend site\n",
			"messages scan count", "messages count", "    event on-frontend-http-request unless proxied\n", "", "messages ip-rep", "messages ip-rep scan", "    acl proxied var(txn.proxied) -m bool\n", ""), want: []string{finding.BodyNotBuffered}},
		{name: "a response's body", files: good(t, "args status=status", "args status=res.body_len,add(0)"), want: []string{finding.BodyNotBuffered}},
		{name: "checks on the server line", files: good(t, "    default-server check inter 1s\n", "", "127.0.0.1:9000", "127.0.0.1:9000 check", "127.0.0.1:9001", "127.0.0.1:9001 track shop-agents/agent1")},
		{name: "checks of other servers", files: good(t, checks, "", "127.0.0.1:9000", "127.0.0.1:9000 track health/a", "127.0.0.1:9001\n", "127.0.0.1:9001 track health/a\nbackend health\n    option spop-check\n    server a 127.0.0.1:9000 check\n")},
		{name: "checks by a conversation", files: good(t, "option spop-check", "option tcp-check\n    tcp-check send-binary 00\n    tcp-check expect binary 00")},
		{name: "checks by a connection", files: good(t, "option spop-check", "option tcp-check"), want: []string{finding.NoHealthCheck}},
		{name: "checks by a section", files: good(t, "    option spop-check\n", "", "check inter 1s", "check healthcheck spop", "\nbackend site", "\nhealthcheck spop\n    type spop-check\nbackend site")},
		{name: "a server that is named check", files: good(t, "    default-server check inter 1s\n", "", "server agent1", "server check", "127.0.0.1:9001", "127.0.0.1:9001 check"), want: []string{finding.NoHealthCheck}},
		{name: "checks over HTTP", files: good(t, "option spop-check", "option httpchk GET /readyz", "check inter 1s", "check port 6060 inter 1s")},
		{name: "a rule sets a default before the answer", files: good(t, "    tcp-request content set-var(txn.proxied)", "    tcp-request content set-var(txn.shop.verdict) str(none)\n    tcp-request content reject if { var(txn.shop.verdict) -m str block }\n    tcp-request content set-var(txn.proxied)")},
		{name: "an answer that a script may have set", files: good(t, "global\n", "global\n    lua-load x.lua\n", "    tcp-request content set-var(txn.proxied)", "    tcp-request content reject if { var(txn.shop.verdict) -m str block }\n    tcp-request content set-var(txn.proxied)")},
		{name: "an answer before it is there", files: good(t, "    tcp-request content set-var(txn.proxied)", "    tcp-request content reject if { var(txn.shop.verdict) -m str block }\n    tcp-request content set-var(txn.proxied)"), want: []string{finding.VariableReadEarly}},
		{name: "an answer that is read when it is asked for", files: good(t, rule, "    http-request send-spoe-group shop ask unless { var(txn.shop.verdict) -m found }\n")},
		{name: "force-set-var", files: good(t, "    register-var-names last_host", "    option force-set-var")},
		{name: "a time in seconds", files: good(t, "timeout processing 200ms", "timeout processing 1s")},
		{name: "a time in microseconds", files: good(t, "timeout processing 200ms", "timeout processing 200us"), want: []string{finding.DeadlineTooLong}},
		{name: "a time without a unit", files: good(t, "timeout processing 200ms", "timeout processing 101")},
		{name: "two filter lines", files: good(t, "\nbackend site", "\nfrontend tls\n    bind 127.0.0.1:8443\n    filter spoe engine shop config spoe.conf\n    option http-buffer-request\n    tcp-request content set-var(txn.proxied) bool(true)\nbackend site")},
		{name: "one of two frontends does not wait", files: good(t, "\nbackend site", "\nfrontend tls\n    bind 127.0.0.1:8443\n    filter spoe engine shop config spoe.conf\nbackend site"), want: []string{finding.BodyNotBuffered}},
		{name: "set by another frontend", files: good(t, "    tcp-request content set-var(txn.proxied) bool(true) if { src 10.0.0.0/8 }\n", "    http-request set-var(txn.proxied) bool(true)\n", "\nbackend site", "\nfrontend other\n    bind 127.0.0.1:8082\n    tcp-request content set-var(txn.proxied) bool(true)\nbackend site"), want: []string{finding.VariableSetLater}},
		{name: "another engine besides", files: good(t, "    filter spoe", "    filter spoe engine other config spoe.conf\n    filter spoe", "[shop]", "[other]\nspoe-agent other\n    messages x\nspoe-message x\n    args a=src\n    event on-client-session\n[shop]")},
		{name: "an ACL that nothing uses", files: good(t, "    tcp-request content set-var(txn.proxied)", "    http-request set-var(txn.proxied)", " unless proxied", "")},
		{name: "a rule's ACL", files: good(t, rule, "    acl late var(txn.late) -m bool\n"+strings.Replace(rule, "unless", "unless late ||", 1), "    default_backend site\n", "    http-request set-var(txn.late) bool(true)\n    default_backend site\n"), want: []string{finding.VariableSetLater}},
		{name: "one question a session", files: good(t, "unless proxied", "unless proxied or { var(sess.asked) -m bool }", "    default_backend site\n", "    http-request set-var(sess.asked) bool(true)\n    default_backend site\n")},
		{name: "what the session's first request has not", files: good(t, "tenant=var(txn.tenant)", "tenant=var(sess.tenant)", "    default_backend site\n", "    http-request set-var(sess.tenant) req.hdr(host)\n    default_backend site\n"), want: []string{finding.VariableSetLater}},
		{name: "a switch for all requests", files: good(t, "unless proxied", "unless proxied or { var(proc.off) -m bool }", "    default_backend site\n", "    http-request set-var(proc.off) bool(true) if { path /off }\n    default_backend site\n")},
		{name: "set in the global section", files: good(t, "    tune.bufsize", "    set-var proc.shop.site str(a)\n    tune.bufsize", "%[var(txn.shop.took)]", "%[var(proc.shop.site)]")},
		{name: "a listen section's events are a frontend's", files: good(t, "frontend www", "listen www", "    tcp-request content set-var(txn.proxied) bool(true) if { src 10.0.0.0/8 }\n", "    http-request set-var(txn.proxied) bool(true)\n", event, "event on-backend-http-request"), want: []string{finding.VariableSetLater}},
		{name: "another backend's rules", files: good(t, verdict, "", "    filter spoe engine shop config spoe.conf\n", "", rule, "", "\nbackend site\n", "\nbackend other\n    http-request set-var(txn.proxied) bool(true)\nbackend site\n    filter spoe engine shop config spoe.conf\n    http-request send-spoe-group shop ask\n", event, "event on-backend-http-request", "    tcp-request content set-var(txn.proxied) bool(true) if { src 10.0.0.0/8 }\n", "")},
		{name: "a converter's argument", files: good(t, "[var(txn.shop.failed)]", "[str(a),concat(-,txn.shop.failed,)]", "if { var(txn.shop.failed) -m found }", "")},
		{name: "a quoted argument", files: good(t, "[var(txn.shop.failed)]", "[var('txn.shop.failed')]", "if { var(txn.shop.failed) -m found }", "")},
		{name: "a script", files: good(t, "    tune.bufsize", "    lua-load x.lua\n    tune.bufsize", `    http-request set-header X-Why "%[var(txn.shop.failed)]" if { var(txn.shop.failed) -m found }`+"\n", "")},
		{name: "HAProxy's own is too long", files: good(t, "set-process-time took", "set-process-time "+strings.Repeat("t", 60), "%[var(txn.shop.took)]", ""), want: []string{finding.VariableTooLong}},
		{name: "no HTTP in mode tcp", files: good(t, "    bind", "    mode tcp\n    bind", "    mode http\n", "    mode tcp\n", "\nbackend shop-agents\n", "\nbackend shop-agents\n"), want: []string{finding.MessageUncalled, finding.MessageUncalled}},
		{name: "HTTP by the backend", files: good(t, "    bind", "    mode tcp\n    bind")},
		{name: "a frontend's event in a backend", files: good(t, "    filter spoe engine shop config spoe.conf\n", "", rule, "", "\nbackend site\n", "\nbackend site\n    filter spoe engine shop config spoe.conf\n    http-request send-spoe-group shop ask\n"), want: []string{finding.MessageUncalled}},
		{name: "a group that is not sent", files: good(t, count, count+"spoe-message old\n    event on-client-session\nspoe-group old\n    messages old\n")},
		{name: "a second engine of the agent's", files: good(t, "    filter spoe", "    filter spoe engine late config spoe.conf\n    filter spoe", "messages scan count", "messages scan", "[shop]", second+count+"[shop]", count, ""), want: []string{"variable-unknown", "deadline-too-long"}},
		{name: "a second engine, and this one by its name", files: good(t, "    filter spoe", "    filter spoe engine late config spoe.conf\n    filter spoe", "messages scan count", "messages scan", "[shop]", second+count+"[shop]", count, ""),
			change: func(s *haproxy.Sources, _ string) { s.Engine = "shop" }},
		{name: "a second engine of the same prefix", files: good(t, "    filter spoe", "    filter spoe engine late config spoe.conf\n    filter spoe", "%[var(txn.shop.took)]", "%[var(txn.shop.other)]", "[shop]", second+"    option var-prefix shop\n"+count+"[shop]"), want: []string{"deadline-too-long"}},
		{name: "a second engine of another file", files: good(t, "    filter spoe", "    filter spoe engine late config nowhere.conf\n    filter spoe"),
			change: func(s *haproxy.Sources, dir string) { s.SPOE = filepath.Join(dir, "spoe.conf") }},
		{name: "a second engine whose file is not at hand", files: good(t, "    filter spoe", "    filter spoe engine late config nowhere.conf\n    filter spoe"),
			change: func(s *haproxy.Sources, _ string) { s.Engine = "shop" }},
		{name: "the filter's words in another order", files: good(t, "filter spoe engine shop config spoe.conf", "filter spoe config spoe.conf engine shop")},
		{name: "an engine named config", files: good(t, "filter spoe engine shop", "filter spoe engine config", "[shop]", "[config]", "send-spoe-group shop", "send-spoe-group config")},
		{name: "no engine's name", files: good(t, "filter spoe engine shop", "filter spoe", "[shop]\n", "")},
		{name: "the engine by its agent's name", files: good(t, "filter spoe engine shop", "filter spoe", "[shop]\n", ""),
			change: func(s *haproxy.Sources, _ string) { s.Engine = "shop" }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := put(t, tt.files)
			s := haproxy.Sources{Configs: []string{filepath.Join(dir, "haproxy.cfg")}}
			if tt.change != nil {
				tt.change(&s, dir)
			}
			found, err := haproxy.Check(routes(t), s)
			require.NoError(t, err)
			assert.ElementsMatch(t, tt.want, codes(found), "%v", found)
		})
	}
}

// TestNestedRequired: of a struct behind a pointer nothing is required where
// nothing is sent.
func TestNestedRequired(t *testing.T) {
	r := router.New()
	r.ErrorVar(spoe.VarScopeTransaction, "failed")
	r.Observe("m", func(context.Context, struct {
		Path   string  `spoe:"path" fetch:"path"`
		Client *client `spoe:"client"`
		Peer   struct {
			Name string `spoe:"name,required" fetch:"req.hdr(host)"`
		} `spoe:"peer"`
	}) error {
		return nil
	}).Event(router.OnFrontendHTTPRequest)
	f := write(t, r, haproxy.Config{Engine: "guard"})
	for without, want := range map[string][]string{
		"none": {}, "client.ip=src client.port=src_port": {}, "client.port=src_port": {}, "client.ip=src": {finding.ArgumentMissing},
		"peer.name=req.hdr(host)": {finding.ArgumentMissing}, // not behind a pointer
	} {
		dir := put(t, map[string]string{"haproxy.cfg": "frontend www\n" + f.Frontend + f.Backend, "spoe.conf": strings.Replace(f.SPOE, without, "", 1)})
		found, err := haproxy.Check(haproxy.Describe(r), haproxy.Sources{Configs: []string{filepath.Join(dir, "haproxy.cfg")}})
		require.NoError(t, err)
		assert.Equal(t, want, codes(found), without)
	}
}

func edit(t *testing.T, dir, name, from, to string) {
	t.Helper()
	path := filepath.Join(dir, name)
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, []byte(strings.ReplaceAll(string(b), from, to)), 0o600))
}

// TestSourcesRefused: a file that cannot be checked is an error with its file and line.
func TestSourcesRefused(t *testing.T) {
	for want, tt := range map[string]struct {
		files  map[string]string
		change func(s *haproxy.Sources)
	}{
		"haproxy: no file to check: name haproxy.cfg":                                     {change: func(s *haproxy.Sources) { s.Configs = nil }},
		"none.cfg: no such file or directory":                                             {change: func(s *haproxy.Sources) { s.Configs = []string{"none.cfg"} }},
		`"new" is no version: write one such as 3.2`:                                      {change: func(s *haproxy.Sources) { s.Version = "new" }},
		`no filter line has the engine "other"`:                                           {change: func(s *haproxy.Sources) { s.Engine = "other" }},
		"spoe.conf is empty: write it by -print-config=spoe":                              {files: map[string]string{"haproxy.cfg": "frontend x\nfilter spoe engine shop config spoe.conf\n", "spoe.conf": "# none\n"}},
		"haproxy.cfg:19: the SPOE file does not exist: gone.conf, /":                      {files: good(t, "config spoe.conf", "config gone.conf")},
		"haproxy.cfg:13: a double quote that is not closed":                               {files: good(t, "timeout client 30s", `timeout client "30s`)},
		"haproxy.cfg:6: .else without an .if":                                             {files: good(t, "    tune.bufsize 32768", ".else")},
		"haproxy.cfg: an .if without its .endif":                                          {files: good(t, ".endif", "")},
		"no frontend, backend or listen section has a line \"filter spoe … config FILE\"": {files: good(t, "    filter spoe", "    #filter spoe")},
		"spoe.conf has no scope [shop]: it has [stop]":                                    {files: good(t, "[shop]", "[stop]")},
		`spoe.conf has no section spoe-agent for the engine "shop"`:                       {files: good(t, "spoe-agent shop", "spoe-group x")},
		"/dev/zero is no regular file":                                                    {change: func(s *haproxy.Sources) { s.Configs = []string{"/dev/zero"} }},
		"haproxy.cfg:1: a NUL byte: this is no configuration":                             {files: map[string]string{"haproxy.cfg": "\x00", "spoe.conf": ""}},
		"there are several engines, and any of them may ask this agent: name one of [":    {files: good(t, "    filter spoe", "    filter spoe engine other config spoe.conf\n    filter spoe", "[shop]", "[other]\nspoe-agent other\nspoe-message ip-rep\nspoe-message scan\nspoe-message other\n[shop]", "spoe-message count\n", "spoe-message counts\n")},
	} {
		files := tt.files
		if files == nil {
			files = good(t)
		}
		dir := put(t, files)
		s := haproxy.Sources{Configs: []string{filepath.Join(dir, "haproxy.cfg")}}
		if tt.change != nil {
			tt.change(&s)
		}
		_, err := haproxy.Check(routes(t), s)
		assert.ErrorContains(t, err, want)
		if err != nil {
			assert.True(t, strings.HasPrefix(err.Error(), "haproxy: "), err)
		}
	}
}

func TestReadRoutesRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                           "EOF",
		"{}x":                        "",
		`{"messages":[{"nam":"x"}]}`: `unknown field "nam"`,
		`{"messages":[{}]}`:          "message 1 has no name",
		`{"messages":[{"name":"x"},{"name":"x"}]}`:                          `message "x" is there twice`,
		`{"messages":[{"name":"a\nb"}]}`:                                    `the name "a\nb" has the character '\n'`,
		`{"messages":[{"name":"x","group":"g h"}]}`:                         `the name "g h" has the character ' '`,
		`{"messages":[{"name":"x","event":"on-fire"}]}`:                     `HAProxy has no event "on-fire"`,
		`{"messages":[{"name":"x","condition":"if a\nb"}]}`:                 "is not one line",
		`{"messages":[{"name":"x","args":[{"required":true}]}]}`:            "an argument has neither a name nor a position",
		`{"messages":[{"name":"x","args":[{"pos":-1}]}]}`:                   "no argument is at position -1",
		`{"messages":[{"name":"x","args":[{"pos":256}]}]}`:                  "no argument is at position 256",
		`{"messages":[{"name":"x","args":[{"name":"a","fetch":"src\n"}]}]}`: `the argument "a" has a control character`,
		`{"messages":[{"name":"x","vars":[{"scope":"check","name":"v"}]}]}`: `"check" is no scope of HAProxy's`,
		`{"messages":[{"name":"x","vars":[{"scope":"txn","name":"a b"}]}]}`: "HAProxy refuses the character ' '",
		`{"messages":[],"failure_var":"failed"}`:                            "the variable of failures",
		`{"messages":[{"name":"x","deadline":"soon"}]}`:                     `time: invalid duration "soon"`,
	} {
		_, err := haproxy.ReadRoutes(strings.NewReader(text))
		if want == "" {
			assert.NoError(t, err)
			continue
		}
		assert.ErrorContains(t, err, want)
		assert.ErrorContains(t, err, "-print-routes writes them")
	}
}

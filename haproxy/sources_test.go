package haproxy_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/haproxy"
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
// what is wrong is found whatever way it is written.
func TestSources(t *testing.T) {
	const filter = "config spoe.conf"
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
		{name: "setenv", files: good(t, "presetenv SITE 127.0.0.1:8081", `setenv FILE spoe.conf`, filter, `config "$FILE"`)},
		{name: "another name", files: good(t, filter, "config nowhere.conf"),
			change: func(s *haproxy.Sources, dir string) { s.SPOE = filepath.Join(dir, "spoe.conf") }},
		{name: "a folder", files: good(t), change: func(s *haproxy.Sources, dir string) { s.Configs = []string{dir} }},
		{name: "a version", files: good(t, "    tune.bufsize 32768", ".if version_atleast(3.0)\n    tune.bufsize 32768\n.else\n    tune.bufsize 16384\n.endif"),
			change: func(s *haproxy.Sources, _ string) { s.Version = "3.2" }},
		{name: "an older version", files: good(t, "    tune.bufsize 32768", ".if version_before(3.0)\n    tune.bufsize 16k\n.elif version_atleast(3.1)\n    tune.bufsize 16384\n.else\n    tune.bufsize 32k\n.endif"),
			change: func(s *haproxy.Sources, _ string) { s.Version = "2.6" }, want: []string{haproxy.BufferTooSmall}},
		{name: "a branch that is off", files: good(t, "    option spop-check", ".if 0\n.if feature(X)\n    option spop-check\n.endif\n.endif"), want: []string{haproxy.NoHealthCheck}},
		{name: "defaults", files: good(t, "    option http-buffer-request\n", "", "defaults\n", "defaults\n    option http-buffer-request\n")},
		{name: "named defaults", files: good(t, "    option http-buffer-request\n", "", "defaults\n", "defaults plain\n    option http-buffer-request\n    mode http\ndefaults\n", "frontend www", "frontend www from plain")},
		{name: "not with another's defaults", files: good(t, "    option http-buffer-request\n", "", "\nbackend site", "\ndefaults later\n    option http-buffer-request\n    timeout connect 5s\n    timeout server 3m\nbackend site", "    option spop-check", "    option spop-check\n    timeout check 1s"), want: []string{haproxy.BodyNotBuffered}},
		{name: "no option", files: good(t, "    filter spoe", "    no option http-buffer-request\n    filter spoe"), want: []string{haproxy.BodyNotBuffered}},
		{name: "wait-for-body is too late for an event", files: good(t, "    option http-buffer-request\n", "    http-request wait-for-body time 1s\n"), want: []string{haproxy.BodyNotBuffered}},
		{name: "wait-for-body before a rule", files: good(t, "    option http-buffer-request\n", "    http-request wait-for-body time 1s\n",
			"messages scan count", "messages count", "    event on-frontend-http-request unless proxied\n", "", "messages ip-rep", "messages ip-rep scan", "    acl proxied var(txn.proxied) -m bool\n", "")},
		{name: "wait-for-body behind a rule", files: good(t, "    option http-buffer-request\n", "", "    default_backend site\n", "    http-request wait-for-body time 1s\n    default_backend site\n",
			"messages scan count", "messages count", "    event on-frontend-http-request unless proxied\n", "", "messages ip-rep", "messages ip-rep scan", "    acl proxied var(txn.proxied) -m bool\n", ""), want: []string{haproxy.BodyNotBuffered}},
		{name: "a response's body", files: good(t, "args status=status", "args status=res.body_len,add(0)"), want: []string{haproxy.BodyNotBuffered}},
		{name: "checks on the server line", files: good(t, "    default-server check inter 1s\n", "", "127.0.0.1:9000", "127.0.0.1:9000 check", "127.0.0.1:9001", "127.0.0.1:9001 track shop-agents/agent1")},
		{name: "checks over HTTP", files: good(t, "option spop-check", "option httpchk GET /readyz", "check inter 1s", "check port 6060 inter 1s")},
		{name: "force-set-var", files: good(t, "    register-var-names last_host", "    option force-set-var")},
		{name: "a time in seconds", files: good(t, "timeout processing 200ms", "timeout processing 1s")},
		{name: "a time in microseconds", files: good(t, "timeout processing 200ms", "timeout processing 200us"), want: []string{haproxy.DeadlineTooLong}},
		{name: "a time without a unit", files: good(t, "timeout processing 200ms", "timeout processing 101")},
		{name: "two filter lines", files: good(t, "\nbackend site", "\nfrontend tls\n    bind 127.0.0.1:8443\n    filter spoe engine shop config spoe.conf\n    option http-buffer-request\n    tcp-request content set-var(txn.proxied) bool(true)\nbackend site")},
		{name: "one of two frontends does not wait", files: good(t, "\nbackend site", "\nfrontend tls\n    bind 127.0.0.1:8443\n    filter spoe engine shop config spoe.conf\nbackend site"), want: []string{haproxy.BodyNotBuffered}},
		{name: "set by another frontend", files: good(t, "    tcp-request content set-var(txn.proxied) bool(true) if { src 10.0.0.0/8 }\n", "    http-request set-var(txn.proxied) bool(true)\n", "\nbackend site", "\nfrontend other\n    bind 127.0.0.1:8082\n    tcp-request content set-var(txn.proxied) bool(true)\nbackend site"), want: []string{haproxy.VariableSetLater}},
		{name: "another engine besides", files: good(t, "    filter spoe", "    filter spoe engine other config spoe.conf\n    filter spoe", "[shop]", "[other]\nspoe-agent other\n    messages x\nspoe-message x\n    args a=src\n    event on-client-session\n[shop]")},
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

func edit(t *testing.T, dir, name, from, to string) {
	t.Helper()
	path := filepath.Join(dir, name)
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, []byte(strings.ReplaceAll(string(b), from, to)), 0o600))
}

// TestSourcesRefused: what cannot be checked is told with its file and line.
func TestSourcesRefused(t *testing.T) {
	for want, tt := range map[string]struct {
		files  map[string]string
		change func(s *haproxy.Sources)
	}{
		"haproxy: there is no haproxy.cfg to check: name one":                                     {change: func(s *haproxy.Sources) { s.Configs = nil }},
		"none.cfg: no such file or directory":                                                     {change: func(s *haproxy.Sources) { s.Configs = []string{"none.cfg"} }},
		`"new" is no version: write one such as 3.2`:                                              {change: func(s *haproxy.Sources) { s.Version = "new" }},
		`no filter line has the engine "other"`:                                                   {change: func(s *haproxy.Sources) { s.Engine = "other" }},
		"haproxy.cfg:19: the SPOE file is not there":                                              {files: good(t, "config spoe.conf", "config gone.conf")},
		"haproxy.cfg:13: a double quote that is not closed":                                       {files: good(t, "timeout client 30s", `timeout client "30s`)},
		"haproxy.cfg:6: .else without an .if":                                                     {files: good(t, "    tune.bufsize 32768", ".else")},
		"haproxy.cfg: an .if without its .endif":                                                  {files: good(t, ".endif", "")},
		"no frontend, backend or listen section has a line \"filter spoe … config FILE\"":         {files: good(t, "    filter spoe", "    #filter spoe")},
		"spoe.conf has no scope [shop]: it has [stop]":                                            {files: good(t, "[shop]", "[stop]")},
		`spoe.conf has no section spoe-agent for the engine "shop"`:                               {files: good(t, "spoe-agent shop", "spoe-group x")},
		"haproxy.cfg:1: a NUL byte: this is no configuration":                                     {files: map[string]string{"haproxy.cfg": "\x00", "spoe.conf": ""}},
		"there are several engines, and it is not clear which one asks this agent: name one of [": {files: good(t, "    filter spoe", "    filter spoe engine other config spoe.conf\n    filter spoe", "[shop]", "[other]\nspoe-agent other\nspoe-message ip-rep\nspoe-message scan\nspoe-message count\n[shop]")},
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
		`{"messages":[{"name":"x","deadline":"soon"}]}`: `time: invalid duration "soon"`,
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

package service_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/service"
	"github.com/spoke-go/spoke/service/servicetest"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

type config struct {
	Score  int    `min:"0" max:"100"`
	Reject bool   `help:"have Derive fail"`
	Slow   string `conf:",fixed"`
}

type answer struct {
	Score  int    `spoe:"score"`
	Table  string `spoe:"table"`
	Closed bool   `spoe:"closed"`
}

func newAgent() service.Agent[config] {
	return service.Agent[config]{
		Name:     "test-agent",
		Version:  "v1.2.3",
		Defaults: config{Score: 7},
		Setup: func(_ context.Context, s *service.Setup[config]) error {
			tables, err := s.Derive(func(_ context.Context, c *config) (string, error) {
				if c.Reject {
					return "", errors.New("the table is broken")
				}
				return strings.Repeat("x", c.Score), nil
			})
			if err != nil {
				return err
			}
			s.Router.Handle("ask", func(context.Context, struct{}) (answer, error) {
				return answer{Score: s.Config().Score, Table: tables.Load()}, nil
			}).Event(router.OnFrontendHTTPRequest)
			return nil
		},
	}
}

func score(t *testing.T, r *servicetest.Agent) int {
	t.Helper()
	haproxy, err := spoetest.Dial(t.Context(), "tcp", r.Addr(t))
	require.NoError(t, err)
	defer haproxy.Close()
	got, err := haproxy.Ask(t.Context(), "ask")
	require.NoError(t, err)
	n := got.Int("txn.score")
	assert.Len(t, got.Str("txn.table"), int(n), "the table is that of the configuration")
	return int(n)
}

func TestReload(t *testing.T) {
	file := filepath.Join(t.TempDir(), "agent.yaml")
	servicetest.WriteFile(t, file, "score: 10\n")
	r := servicetest.Start(t, newAgent(), "-config", file)
	assert.Equal(t, 10, score(t, r))
	_, metrics := servicetest.Get(t, r.Admin(t)+"/metrics")
	assert.Contains(t, metrics, "\nspoke_config_last_reload_successful 1\n")

	servicetest.WriteFile(t, file, "score: 11\n") // by itself
	r.Log.Wait(t, `msg="configuration reloaded" reason="a file has changed"`)
	assert.Equal(t, 11, score(t, r))

	servicetest.WriteFile(t, file, "score: 101\n")
	r.Log.Wait(t, `level=ERROR msg="configuration not reloaded, the old one stays" reason="a file has changed" error=".*agent.yaml:1: score: 101 is out of range: write a value from 0 to 100"`)
	assert.Equal(t, 11, score(t, r))
	_, metrics = servicetest.Get(t, r.Admin(t)+"/metrics")
	assert.Contains(t, metrics, "\nspoke_config_last_reload_successful 0\n")
	assert.Contains(t, metrics, `spoke_config_reloads_total{spoke_config_result="failure"} 1`)

	servicetest.WriteFile(t, file, "score: 12\nreject: true\n") // good in itself, but nothing can be made of it
	r.Reload <- os.Interrupt
	r.Log.Wait(t, `error="the table is broken"`)
	assert.Equal(t, 11, score(t, r))

	servicetest.WriteFile(t, file, "score: 13\nslow: x\nlog-level: debug\nlisten: [\":1\"]\n")
	r.Reload <- os.Interrupt
	r.Log.Wait(t, `msg="a changed setting needs a restart, its old value stays" setting=slow`)
	assert.Equal(t, 13, score(t, r))
	r.Log.Wait(t, `level=DEBUG`)
	r.Stop()
	assert.Zero(t, <-r.Ended)
}

// A ConfigMap is swapped by a link that its files go through.
func TestReloadConfigMap(t *testing.T) {
	dir := t.TempDir()
	for version, text := range map[string]string{"1": "score: 1\n", "2": "score: 2\n"} {
		require.NoError(t, os.Mkdir(filepath.Join(dir, "..v"+version), 0o700))
		servicetest.WriteFile(t, filepath.Join(dir, "..v"+version, "agent.yaml"), text)
	}
	require.NoError(t, os.Symlink("..v1", filepath.Join(dir, "..data")))
	require.NoError(t, os.Symlink("..data/agent.yaml", filepath.Join(dir, "agent.yaml")))
	r := servicetest.Start(t, newAgent(), "-config", filepath.Join(dir, "agent.yaml"))
	assert.Equal(t, 1, score(t, r))
	require.NoError(t, os.Symlink("..v2", filepath.Join(dir, "..tmp")))
	require.NoError(t, os.Rename(filepath.Join(dir, "..tmp"), filepath.Join(dir, "..data")))
	r.Log.Wait(t, `msg="configuration reloaded"`)
	assert.Equal(t, 2, score(t, r))
}

func TestAdmin(t *testing.T) {
	a := newAgent()
	setup := a.Setup
	release := make(chan struct{})
	var broken error
	a.Setup = func(ctx context.Context, s *service.Setup[config]) error {
		<-release
		s.Ready(func(context.Context) error { return broken })
		return setup(ctx, s)
	}
	r := servicetest.Start(t, a, "-admin-token", "sesame")
	url := r.Admin(t)
	status, text := servicetest.Get(t, url+"/readyz")
	assert.Equal(t, []any{503, "not ready: starting\n"}, []any{status, text})
	close(release)
	r.Addr(t)
	status, text = servicetest.Get(t, url+"/readyz")
	assert.Equal(t, []any{200, "ready\n"}, []any{status, text})
	status, _ = servicetest.Get(t, url+"/metrics")
	assert.Equal(t, 401, status)
	status, text = servicetest.Get(t, strings.Replace(url, "http://", "http://any:sesame@", 1)+"/metrics")
	assert.Equal(t, 200, status)
	assert.Regexp(t, `target_info\{.*service_name="test-agent".*service_version="v1.2.3"`, text)
	status, _ = servicetest.Get(t, strings.Replace(url, "http://", "http://any:sesame@", 1)+"/debug/pprof/")
	assert.Equal(t, 404, status, "only if asked for")
	status, text = servicetest.Get(t, strings.Replace(url, "http://", "http://any:sesame@", 1)+"/inspect/")
	assert.Equal(t, 200, status)
	assert.Contains(t, text, "Live tail")
	assert.NotContains(t, r.Log.String(), "sesame")
	r.Stop()
	assert.Zero(t, <-r.Ended)
}

// A page of a stranger that reaches 127.0.0.1 by a name of its own gets no answer.
func TestAdminByForeignName(t *testing.T) {
	r := servicetest.Start(t, newAgent())
	req, err := http.NewRequest(http.MethodGet, r.Admin(t)+"/metrics", nil)
	require.NoError(t, err)
	req.Host = "stranger.example"
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	resp.Body.Close()
	assert.Equal(t, http.StatusForbidden, resp.StatusCode)
	http.DefaultClient.CloseIdleConnections()
}

func TestCommands(t *testing.T) {
	for _, tt := range []struct {
		args           []string
		status         int
		stdout, stderr string // patterns
	}{
		{[]string{"-version"}, 0, `^test-agent v1.2.3\n$`, `^$`},
		{[]string{"-h"}, 0, `(?s)-score N.*default 7.*TEST_AGENT_LOG_LEVEL`, `^$`},
		{[]string{"-t"}, 0, `^test-agent: the configuration is good\n$`, `^$`},
		{[]string{"-t", "-tls-cert", "/none", "-tls-key", "/no"}, 1, `^$`, `TLS certificate /none with key /no: open /none: no such file or directory\n$`},
		{[]string{"-t", "-reject"}, 1, `^$`, `^test-agent: the table is broken\n$`},
		{[]string{"-show-config", "-score=9"}, 0, `score: 9 # -score\n`, `^$`},
		{[]string{"-print-config=spoe", "-reject"}, 0, `(?s)spoe-agent test-agent.*spoe-message ask`, `^$`},
		{[]string{"-print-config=backend", "-listen", "unix:/run/x"}, 0, `server agent1 unix@/run/x`, `^$`},
		{[]string{"-print-config=backend", "-listen", "/run/x"}, 0, `server agent1 unix@/run/x`, `^$`},
		{[]string{"-print-config=backend", "-listen", "unix@/run/x"}, 0, `server agent1 unix@/run/x`, `^$`},
		{[]string{"-print-config=backend", "-listen", "unix:@x"}, 0, `server agent1 abns@x\n`, `^$`},
		{[]string{"-print-config=backend", "-listen", "abns@x"}, 0, `server agent1 abns@x\n`, `^$`},
		{[]string{"-print-config=backend", "-listen", "abnsz@x"}, 0, `server agent1 abnsz@x\n`, `^$`},
		{[]string{"-print-config=backend", "-listen", "*:9004"}, 0, `server agent1 127.0.0.1:9004`, `^$`},
		{[]string{"-print-config=backend", "-listen", "ipv6@::1:9004"}, 0, `server agent1 \[::1\]:9004`, `^$`},
		{[]string{"-listen", "udp@127.0.0.1:9000"}, 2, `^$`, `"udp@127.0.0.1:9000" is not an address: write 127.0.0.1:9000, `},
		{[]string{"-listen", "127.0.0.1:nosuchservice"}, 2, `^$`, `"127.0.0.1:nosuchservice" is not an address: write 127.0.0.1:9000, `},
		{[]string{"-print-config=backend", "-agent-check", "127.0.0.1:9001"}, 0, `agent-check.* agent-port 9001`, `^$`},
		{[]string{"-agent-check", "9001"}, 2, `^$`, `^test-agent: -agent-check: "9001" is not an address: write host:port, such as 127.0.0.1:9001\n$`},
		{[]string{"-print-routes"}, 0, `"ask"`, `^$`},
		{[]string{"-completion", "bash"}, 0, `complete -o default -W ".*-score.*" test-agent`, `^$`},
		{[]string{"-socre", "1"}, 2, `^$`, `^test-agent: -socre: is unknown: write -score\n$`},
		{[]string{"x"}, 2, `^$`, `^test-agent: "x" is not a flag: -h lists them\n$`},
		{[]string{"-config", "/none"}, 2, `^$`, `^test-agent: stat /none: no such file or directory: give -config a file that is there\n$`},
		{[]string{"-admin-listen", ":6060"}, 2, `^$`, `^test-agent: -admin-listen: ":6060" is not a loopback address: write 127.0.0.1:6060, or set admin-token, too\n$`},
		{[]string{"-listen", ":9000", "-listen", "9000"}, 2, `^$`, `^test-agent: -listen: listen\[1\]: "9000" is not an address: write 127.0.0.1:9000, `},
		{[]string{"-tls-cert", "x"}, 2, `^$`, `^test-agent: -tls-cert: is set without tls-key: write tls-key, too\n$`},
		{[]string{"-listen", "systemd", "-admin-listen", "off", "-log-level", "error"}, 1, `^$`, `^test-agent: systemd has passed no socket: `},
	} {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			status, stdout, stderr := servicetest.Once(t, newAgent(), nil, tt.args...)
			assert.Equal(t, tt.status, status)
			assert.Regexp(t, tt.stdout, stdout)
			assert.Regexp(t, tt.stderr, stderr)
		})
	}
}

// Background work that fails ends the program.
func TestTaskFails(t *testing.T) {
	a := newAgent()
	setup := a.Setup
	a.Setup = func(ctx context.Context, s *service.Setup[config]) error {
		s.Go(func(context.Context) error { return errors.New("the feed has gone") })
		s.Go(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		return setup(ctx, s)
	}
	r := servicetest.Start(t, a)
	assert.Equal(t, 1, <-r.Ended)
	assert.Contains(t, r.Log.String(), "test-agent: the feed has gone\n")
}

// With -print-config nothing is derived, so the files of a derived value are not asked for.
func TestPrintConfigWatchesNothing(t *testing.T) {
	type rules struct{ file string }
	a := service.Agent[struct{}]{Name: "watcher", About: "watcher watches a file.", Setup: func(_ context.Context, s *service.Setup[struct{}]) error {
		r, err := s.Derive(func(context.Context, *struct{}) (*rules, error) { return &rules{file: "/etc/rules"}, nil })
		if err != nil {
			return err
		}
		s.Watch(func(*struct{}) []string { return []string{r.Load().file} })
		s.Router.Observe("ask", func(context.Context, struct{}) error { return nil }).Event(router.OnFrontendHTTPRequest)
		return nil
	}}
	status, stdout, stderr := servicetest.Once(t, a, nil, "-print-config=spoe")
	assert.Zero(t, status, stderr)
	assert.Contains(t, stdout, "spoe-message ask")
}

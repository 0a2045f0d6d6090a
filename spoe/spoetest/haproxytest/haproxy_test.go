package haproxytest_test

import (
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spoke-go/spoke/internal/freeaddr"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const spoeConf = `
[engine]
spoe-agent agent-name
    messages check
    option var-prefix test
    option set-on-error error
    timeout hello 100ms
    timeout idle 10s
    timeout processing 200ms
    use-backend agents
    log global

spoe-message check
    args src
    event on-frontend-http-request
`

// page is a configuration that needs no agent.
const page = `
global
    log stdout format raw local0
{{defaults "http"}}
frontend http
    bind {{addr "http"}}
    http-request return status 200 content-type text/plain string "{{.Data}}"
`

// TestSimpleConfig has no agent behind its address: the test still sees what HAProxy and
// the filter do.
func TestSimpleConfig(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		h := haproxytest.Start(t, bin, haproxytest.Config{
			Agent: freeaddr.Find(t),
			Files: map[string]string{"spoe.conf": spoeConf},
			Rules: `
    http-request deny deny_status 403 hdr X-Data "{{.Data}}" if { path /error } { var(txn.test.error) -m found }
    http-request deny deny_status 404 if { path /missing }`,
			Data: "from the test",
		})

		resp := h.Get("/")
		assert.Equal(t, 200, resp.Status)
		assert.Equal(t, "origin\n", resp.Body)
		assert.Equal(t, 404, h.Get("/missing").Status)
		resp = h.Get("/error", "Host", "example.org")
		assert.Equal(t, 403, resp.Status)
		assert.Equal(t, "from the test", resp.Header.Get("X-Data"))

		logs := h.WaitSPOELogs(3)
		assert.Len(t, h.SPOELogs(), 3)
		for _, l := range logs {
			assert.Equal(t, "agent-name", l.Agent)
			assert.Equal(t, "on-frontend-http-request", l.Event)
			assert.False(t, l.Group)
			assert.NotZero(t, l.Status, "there is no agent: %s", l.Line)
		}
		assert.Contains(t, h.WaitLog("GET /missing"), " 404 ")
		h.WaitLog("GET /error")
		assert.Contains(t, h.Output(), "GET /error")
		assert.Contains(t, h.Command("show servers state agents"), " agents 1 agent ")

		resp2, err := h.Client().Get("http://" + h.Addr("origin"))
		require.NoError(t, err)
		require.NoError(t, resp2.Body.Close())
		assert.Equal(t, 200, resp2.StatusCode)
	})
}

func TestOriginOfTheTest(t *testing.T) {
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	site := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte("site " + r.URL.Path))
		}),
		ReadHeaderTimeout: time.Second,
	}
	go site.Serve(lis) // ended by Close
	defer site.Close()

	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		h := haproxytest.Start(t, bin, haproxytest.Config{
			Agent:  freeaddr.Find(t),
			Origin: lis.Addr().String(),
			Files:  map[string]string{"spoe.conf": spoeConf},
		})
		assert.Equal(t, "site /x", h.Get("/x").Body)
	})
}

// TestReload goes on asking while HAProxy is reloaded five times.
func TestReload(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		h := haproxytest.Start(t, bin, haproxytest.Config{Config: page, Data: 0})
		before := h.URL

		var asked atomic.Int64
		stop, done := make(chan struct{}), make(chan struct{})
		go func() { // ended by stop, waited for through done
			defer close(done)
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
			for {
				select {
				case <-stop:
					return
				default:
				}
				resp, err := client.Get(before)
				if !assert.NoError(t, err) {
					return
				}
				assert.Equal(t, 200, resp.StatusCode)
				resp.Body.Close()
				asked.Add(1)
			}
		}()
		for i := 1; i <= 5; i++ {
			h.Reload(haproxytest.Config{Config: page, Data: i})
			assert.Equal(t, strconv.Itoa(i), h.Get("/").Body)
		}
		close(stop)
		<-done
		assert.Positive(t, asked.Load())
		assert.Equal(t, before, h.URL)

		h.Stop()
		_, err := net.Dial("tcp", h.Addr("http"))
		assert.Error(t, err)
	})
}

// TestStopFinishes stops HAProxy while a request is under way.
func TestStopFinishes(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		lis, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		arrived, release := make(chan struct{}), make(chan struct{})
		site := &http.Server{
			Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				close(arrived)
				<-release
				_, _ = w.Write([]byte("late"))
			}),
			ReadHeaderTimeout: time.Second,
		}
		go site.Serve(lis) // ended by Close
		defer site.Close()

		h := haproxytest.Start(t, bin, haproxytest.Config{
			Agent:  freeaddr.Find(t),
			Origin: lis.Addr().String(),
			Files:  map[string]string{"spoe.conf": spoeConf},
		})
		status := make(chan int, 1)
		go func() { // ends with the response
			resp, err := h.Client().Get(h.URL)
			if !assert.NoError(t, err) {
				status <- 0
				return
			}
			resp.Body.Close()
			h.Client().CloseIdleConnections() // HAProxy waits for those
			status <- resp.StatusCode
		}()
		<-arrived
		time.AfterFunc(50*time.Millisecond, func() { close(release) })
		h.Stop()
		assert.Equal(t, 200, <-status)
	})
}

// TestTakesAnyConfig starts what would otherwise go to the background.
func TestTakesAnyConfig(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		h := haproxytest.Start(t, bin, haproxytest.Config{
			Config: "global\n    daemon\n    master-worker\n    pidfile {{path \"pid\"}}\n" + page +
				"frontend more\n    bind {{addr \"more\"}}\n    http-request return status 200 content-type text/plain " +
				"file {{path \"sub/page.txt\"}} hdr X \"${TEST_NAME{{if .HAProxy.AtLeast \"2.6\"}}-default{{end}}}\"\n",
			Files: map[string]string{"sub/page.txt": `{{addr "http"}} of {{.HAProxy.Version}}`},
			Env:   []string{`TEST_NAME={{.Data}}`},
			Data:  "data",
		})
		assert.Equal(t, "data", h.Get("/").Body)
		resp, err := h.Client().Get("http://" + h.Addr("more"))
		require.NoError(t, err)
		defer resp.Body.Close()
		assert.Equal(t, "data", resp.Header.Get("X"))
		assert.EqualValues(t, len(h.Addr("http")+" of "+bin.Version), resp.ContentLength)
	})
}

func TestLeavesNothingBehind(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		var h *haproxytest.HAProxy
		log, failed := record(t, func(tb testing.TB) {
			h = haproxytest.Start(tb, bin, haproxytest.Config{Config: page})
			h.Get("/")
		})
		assert.False(t, failed, log)
		assert.Empty(t, log, "output of a test that passes")
		_, err := os.Stat(h.Dir)
		require.ErrorIs(t, err, os.ErrNotExist)
		_, err = net.Dial("tcp", strings.TrimPrefix(h.URL, "http://"))
		assert.Error(t, err)
	})
}

// TestSaysWhatIsWrong lets tests fail and reads what they say.
func TestSaysWhatIsWrong(t *testing.T) {
	start := func(cfg haproxytest.Config) func(testing.TB, haproxytest.Binary) {
		return func(tb testing.TB, bin haproxytest.Binary) { haproxytest.Start(tb, bin, cfg) }
	}
	for _, tc := range []struct {
		name string
		test func(tb testing.TB, bin haproxytest.Binary)
		says []string
	}{
		{
			name: "invalid configuration",
			test: start(haproxytest.Config{Config: page + "    no-such-keyword\n"}),
			says: []string{"it ended: exit status 1", "unknown keyword 'no-such-keyword'", "wrote:"},
		},
		{
			name: "template does not parse",
			test: start(haproxytest.Config{Config: "{{addr}"}),
			says: []string{"template: haproxy.cfg:1:"},
		},
		{
			name: "template asks for what there is not",
			test: start(haproxytest.Config{Config: page, Files: map[string]string{"a.txt": "{{.Nothing}}"}}),
			says: []string{"template: a.txt:1:", "Nothing"},
		},
		{
			name: "no spoe.conf",
			test: start(haproxytest.Config{}),
			says: []string{`SimpleConfig needs Files["spoe.conf"]`},
		},
		{
			name: "no engine",
			test: start(haproxytest.Config{Files: map[string]string{"spoe.conf": "use-backend x"}}),
			says: []string{"spoe.conf has no [engine] line"},
		},
		{
			name: "no backend",
			test: start(haproxytest.Config{Files: map[string]string{"spoe.conf": "[x]"}}),
			says: []string{"spoe.conf has no use-backend line"},
		},
		{
			name: "invalid reload, the old one goes on",
			test: func(tb testing.TB, bin haproxytest.Binary) {
				h := haproxytest.Start(tb, bin, haproxytest.Config{Config: page, Data: "old"})
				defer func() { tb.Log("still " + h.Get("/").Body) }()
				h.Reload(haproxytest.Config{Config: page + "    no-such-keyword\n"})
			},
			says: []string{"reload HAProxy ", "unknown keyword 'no-such-keyword'", "still old"},
		},
		{
			name: "unknown address",
			test: func(tb testing.TB, bin haproxytest.Binary) {
				haproxytest.Start(tb, bin, haproxytest.Config{Config: page}).Addr("nope")
			},
			says: []string{`the configuration has no {{addr "nope"}}`},
		},
		{
			name: "HAProxy ends by itself",
			test: func(tb testing.TB, bin haproxytest.Binary) {
				h := haproxytest.Start(tb, bin, haproxytest.Config{Config: page})
				haproxytest.Crash(h)
			},
			says: []string{"ended by itself"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
				log, failed := record(t, func(tb testing.TB) { tc.test(tb, bin) })
				assert.True(t, failed)
				for _, text := range tc.says {
					assert.Contains(t, log, text)
				}
			})
		})
	}
}

func TestCheckHAProxy(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		warnings, err := haproxytest.Check(t, bin, haproxytest.Config{
			Agent: "127.0.0.1:9000",
			Files: map[string]string{"spoe.conf": spoeConf},
		})
		require.NoError(t, err)
		assert.Empty(t, warnings)

		warnings, err = haproxytest.Check(t, bin, haproxytest.Config{
			Config: "defaults\n    mode http\nfrontend f\n    bind {{addr \"http\"}}\n",
		})
		require.NoError(t, err)
		assert.Contains(t, warnings, "missing timeouts")

		_, err = haproxytest.Check(t, bin, haproxytest.Config{
			Agent: "127.0.0.1:9000",
			Files: map[string]string{"spoe.conf": strings.Replace(spoeConf, "args src", "args no_such_fetch", 1)},
		})
		assert.ErrorContains(t, err, "no_such_fetch")
	})
}

func TestReadConfig(t *testing.T) {
	name := t.TempDir() + "/haproxy.cfg"
	require.NoError(t, os.WriteFile(name, []byte("bind :8080\nserver a 127.0.0.1:9000\nbind :8080\n"), 0o644))

	text := haproxytest.ReadConfig(t, name, "bind :8080", `bind {{addr "http"}}`, "127.0.0.1:9000", "{{.Agent}}")
	assert.Equal(t, "bind {{addr \"http\"}}\nserver a {{.Agent}}\nbind {{addr \"http\"}}\n", text)

	log, failed := record(t, func(tb testing.TB) { haproxytest.ReadConfig(tb, name, "bind :80 ", "x") })
	assert.True(t, failed)
	assert.Contains(t, log, `haproxy.cfg: nothing to replace, there is no "bind :80 "`)
	log, failed = record(t, func(tb testing.TB) { haproxytest.ReadConfig(tb, name, "bind :80") })
	assert.True(t, failed)
	assert.Contains(t, log, `"bind :80" has nothing to be replaced by`)
	log, failed = record(t, func(tb testing.TB) { haproxytest.ReadConfig(tb, name+".gone") })
	assert.True(t, failed)
	assert.Contains(t, log, "haproxy.cfg.gone")
}

package main_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	main "github.com/spoke-go/spoke/examples/ip-reputation"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

func get(t *testing.T, url string) (status int, text string) {
	t.Helper()
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(url)
	require.NoError(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(b)
}

func body(t *testing.T, url string) string {
	t.Helper()
	status, text := get(t, url)
	require.Equal(t, http.StatusOK, status, text)
	return text
}

// scrape returns /metrics once it has each of the lines: an ACK is counted when
// it has left.
func scrape(t *testing.T, a *agent, lines ...string) string {
	t.Helper()
	for begun := time.Now(); ; time.Sleep(time.Millisecond) {
		text := body(t, a.admin(t)+"/metrics")
		missing := slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return strings.Contains(text, "\n"+line+"\n") })
		if len(missing) == 0 {
			return text
		}
		if time.Since(begun) > patience {
			require.Fail(t, "/metrics has not", strings.Join(missing, "\n"))
		}
	}
}

// The program itself: what Prometheus is told.
func TestMetrics(t *testing.T) {
	a := startProgram(t, nil)
	ask(t, a, 3)
	text := scrape(t, a,
		`rpc_server_call_duration_seconds_count{rpc_method="ip-rep",rpc_system_name="spop"} 3`,
		`rpc_server_call_duration_seconds_bucket{rpc_method="ip-rep",rpc_system_name="spop",le="1"} 3`,
		`spop_server_active_messages{rpc_method="ip-rep",rpc_system_name="spop"} 0`,
		`spop_server_notifies_total 3`,
		`spop_server_acks_total 3`,
		`spop_server_accepted_connections_total 1`,
		`spop_server_failed_messages_total{error_type="timeout"} 0`,
		`iprep_decisions_total{iprep_list="blocklist"} 3`,
		`iprep_list_prefixes{file_path="lists/tor-exits.txt",iprep_list="tor"} 2`,
		`iprep_list_failing{file_path="lists/tor-exits.txt",iprep_list="tor"} 0`,
		`iprep_list_load_failures_total{file_path="lists/tor-exits.txt",iprep_list="tor"} 0`,
	)
	assert.Regexp(t, `\niprep_list_age_seconds\{file_path="lists/tor-exits.txt",iprep_list="tor"\} \d`, text)
	assert.Regexp(t, `\ntarget_info\{.*service_name="ip-reputation".*\} 1\n`, text)
	assert.Contains(t, text, "\ngo_goroutines ")
	assert.Contains(t, text, "\nprocess_start_time_seconds ")
	assert.Equal(t, "ok\n", body(t, a.admin(t)+"/healthz"))
	assert.Equal(t, "ready\n", body(t, a.admin(t)+"/readyz"))
	status, _ := get(t, a.admin(t)+"/")
	assert.Equal(t, http.StatusNotFound, status)
	a.end(t)
}

// A list that breaks shows, and the agent stays ready with what it has.
func TestMetricsOfABrokenList(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bad.txt")
	writeList(t, path, "192.0.2.1", "192.0.2.2")
	a := startAgent(t, "-admin-listen", "127.0.0.1:0", "-list", path)
	labels := `{file_path="` + path + `",iprep_list="bad"}`
	scrape(t, a, "iprep_list_failing"+labels+" 0")

	require.NoError(t, os.Truncate(path, 0))
	a.log.wait(t, regexp.MustCompile(`list not taken`))
	scrape(t, a, "iprep_list_failing"+labels+" 1", "iprep_list_load_failures_total"+labels+" 1", "iprep_list_prefixes"+labels+" 2")
	assert.Equal(t, "ready\n", body(t, a.admin(t)+"/readyz"))
}

// While lists are read there is a sign of life, and nothing more.
func TestNotReadyBeforeListsAreRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bad.txt")
	writeList(t, path, "192.0.2.1")
	// A file that has just been written is watched for a while: see package feed.
	soon := time.Now().Add(time.Hour)
	require.NoError(t, os.Chtimes(path, soon, soon))

	ctx, stop := context.WithCancel(t.Context())
	log := newBuffer()
	var running sync.WaitGroup
	running.Go(func() {
		main.Run(ctx, nil, []string{"-listen", "127.0.0.1:0", "-admin-listen", "127.0.0.1:0", "-list", path}, nil, io.Discard, log)
	})
	defer running.Wait()
	defer stop()
	url := "http://" + log.wait(t, adminLine)[1]
	status, text := get(t, url+"/readyz")
	assert.Equal(t, http.StatusServiceUnavailable, status)
	assert.Equal(t, "not ready: starting\n", text)
	assert.Equal(t, "ok\n", body(t, url+"/healthz"))
	log.wait(t, readyLine)
	assert.Equal(t, "ready\n", body(t, url+"/readyz"))
}

// SIGTERM: /readyz fails while questions are still answered, and /healthz and
// /metrics stay until that is over.
func TestReadyFailsFirst(t *testing.T) {
	a := startProgram(t, nil, "-shutdown-timeout", "10s")
	admin := a.admin(t)
	// Once HAProxy has checked health, the agent waits for it to notice.
	check := func() error {
		_, err := spoetest.HealthCheck(t.Context(), "tcp", a.addr)
		return err
	}
	require.NoError(t, check())
	haproxy, err := spoetest.Dial(t.Context(), "tcp", a.addr)
	require.NoError(t, err)
	defer haproxy.Close()

	a.stop()
	require.Eventually(t, func() bool {
		status, text := get(t, admin+"/readyz")
		return status == http.StatusServiceUnavailable && text == "not ready: shutting down\n"
	}, patience, time.Millisecond)
	got, err := haproxy.Ask(t.Context(), "ip-rep", spoetest.Arg("ip", netip.MustParseAddr("192.0.2.66")))
	require.NoError(t, err)
	assert.Equal(t, "blocklist", got.Str("sess.ip_list"))
	assert.Equal(t, "ok\n", body(t, admin+"/healthz"))
	scrape(t, a, "spop_server_acks_total 1")

	for range 3 { // HAProxy turns away
		require.Error(t, check())
	}
	haproxy.Close()
	a.end(t)
	_, err = net.Dial("tcp", strings.TrimPrefix(admin, "http://"))
	require.Error(t, err)
}

func TestAdminAddrInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	status, _, stderr := once(t, "-log-level", "error", "-listen", "127.0.0.1:0", "-admin-listen", taken.Addr().String())
	assert.Equal(t, 1, status)
	assert.Equal(t, 1, strings.Count(stderr, "\n"), stderr)
	assert.Contains(t, stderr, taken.Addr().String()+": bind: address already in use (-admin-listen sets the address, or off)")
}

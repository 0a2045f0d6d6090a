package main_test

import (
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	main "github.com/spoke-go/spoke/examples/ip-reputation"
	"github.com/spoke-go/spoke/service/servicetest"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

func body(t *testing.T, url string) string {
	t.Helper()
	status, text := servicetest.Get(t, url)
	require.Equal(t, http.StatusOK, status, text)
	return text
}

// Prometheus gets these metrics from the program itself.
func TestMetrics(t *testing.T) {
	a := startProgram(t, nil)
	ask(t, a, 3)
	text := a.Scrape(t,
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
	assert.Equal(t, "ok\n", body(t, a.Admin(t)+"/healthz"))
	assert.Equal(t, "ready\n", body(t, a.Admin(t)+"/readyz"))
	status, _ := servicetest.Get(t, a.Admin(t)+"/")
	assert.Equal(t, http.StatusNotFound, status)
	a.End(t)
}

// A list that breaks shows, and the agent stays ready with what it has.
func TestMetricsOfABrokenList(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bad.txt")
	writeList(t, path, "192.0.2.1", "192.0.2.2")
	a := startAgent(t, "-admin-listen", "127.0.0.1:0", "-list", path)
	labels := `{file_path="` + path + `",iprep_list="bad"}`
	a.Scrape(t, "iprep_list_failing"+labels+" 0")

	require.NoError(t, os.Truncate(path, 0))
	a.Log.Wait(t, `list not taken`)
	a.Scrape(t, "iprep_list_failing"+labels+" 1", "iprep_list_load_failures_total"+labels+" 1", "iprep_list_prefixes"+labels+" 2")
	assert.Equal(t, "ready\n", body(t, a.Admin(t)+"/readyz"))
}

// While lists are read there is a sign of life, and nothing more.
func TestNotReadyBeforeListsAreRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bad.txt")
	writeList(t, path, "192.0.2.1")
	// A file that has just been written is watched for a while: see package feed.
	soon := time.Now().Add(time.Hour)
	require.NoError(t, os.Chtimes(path, soon, soon))

	var a *servicetest.Agent
	var url string
	require.Eventually(t, func() bool { // a busy machine may ask too late
		a = servicetest.Start(t, main.Agent(), "-list", path)
		url = a.Admin(t)
		status, text := servicetest.Get(t, url+"/readyz")
		assert.Equal(t, "ok\n", body(t, url+"/healthz"))
		return status == http.StatusServiceUnavailable && text == "not ready: starting\n"
	}, patience, time.Millisecond)
	a.Addr(t)
	assert.Equal(t, "ready\n", body(t, url+"/readyz"))
}

// SIGTERM: /readyz fails while questions are still answered, and /healthz and
// /metrics stay until that is over.
func TestReadyFailsFirst(t *testing.T) {
	a := startProgram(t, nil, "-shutdown-timeout", "1m")
	admin := a.Admin(t)
	// After a health check of HAProxy, the agent waits until HAProxy notices.
	check := func() error {
		_, err := spoetest.HealthCheck(t.Context(), "tcp", a.Addr(t))
		return err
	}
	require.NoError(t, check())
	haproxy, err := spoetest.Dial(t.Context(), "tcp", a.Addr(t))
	require.NoError(t, err)
	defer haproxy.Close()

	a.Stop()
	require.Eventually(t, func() bool {
		status, text := servicetest.Get(t, admin+"/readyz")
		return status == http.StatusServiceUnavailable && text == "not ready: shutting down\n"
	}, patience, time.Millisecond)
	got, err := haproxy.Ask(t.Context(), "ip-rep", spoetest.Arg("ip", netip.MustParseAddr("192.0.2.66")))
	require.NoError(t, err)
	assert.Equal(t, "blocklist", got.Str("sess.ip_list"))
	assert.Equal(t, "ok\n", body(t, admin+"/healthz"))
	a.Scrape(t, "spop_server_acks_total 1")

	for range 3 { // HAProxy looks for another agent
		require.Error(t, check())
	}
	haproxy.Close()
	a.End(t)
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

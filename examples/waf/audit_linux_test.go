package main

import (
	"bufio"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/service/servicetest"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// setPipeSize is F_SETPIPE_SZ of fcntl(2), which package syscall does not have.
const setPipeSize = 1031

// TestAuditLogBlocks: an audit log whose reader does not read holds up no verdict, and one
// on a full disk costs entries alone.
func TestAuditLogBlocks(t *testing.T) {
	path := t.TempDir() + "/audit"
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	reader, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	defer reader.Close()
	_, _, errno := syscall.Syscall(syscall.SYS_FCNTL, reader.Fd(), setPipeSize, 4096)
	require.Zero(t, errno)
	ask := func(a *servicetest.Agent, n int) {
		client, err := (&spoetest.Dialer{Timeout: servicetest.Patience}).Dial(t.Context(), "tcp", a.Addr(t))
		require.NoError(t, err)
		defer client.Close()
		for i := range n {
			vars, err := client.Ask(t.Context(), "waf-request", append(posted("id=1' or '1'='1&a="+strings.Repeat("a", 4000)), spoetest.Arg("id", strconv.Itoa(i)))...)
			require.NoError(t, err)
			require.Equal(t, "deny", vars.Str("txn.action"), "request %d", i)
		}
	}
	const asked = 5 // more than this pipe holds
	ask(startAgent(t, "", "-audit-log", path, "-timeout", "2m"), asked)
	lines := bufio.NewScanner(reader)
	lines.Buffer(nil, 1<<20)
	for i := range asked {
		require.True(t, lines.Scan(), "%v", lines.Err())
		assert.Contains(t, lines.Text(), `"id":"`+strconv.Itoa(i)+`"`)
	}

	full := startAgent(t, "", "-audit-log", "/dev/full", "-timeout", "2m")
	ask(full, 3)
	require.Eventually(t, func() bool {
		_, text := servicetest.Get(t, full.Admin(t)+"/metrics")
		return regexp.MustCompile(`(?m)^waf_audit_lost_total(\{.*\})? [1-9]`).MatchString(text)
	}, servicetest.Patience, 10*time.Millisecond)
}

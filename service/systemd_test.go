package service_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/service/servicetest"
)

// A socket of systemd's protocol hears of each step, and of the watchdog.
func TestSystemd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	socket, err := net.ListenPacket("unixgram", path)
	require.NoError(t, err)
	defer socket.Close()
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", "100000")
	next := func(want string) string {
		t.Helper()
		require.NoError(t, socket.SetReadDeadline(time.Now().Add(servicetest.Patience)))
		for b := make([]byte, 4096); ; {
			n, _, err := socket.ReadFrom(b)
			require.NoError(t, err, "waiting for %s", want)
			if text := string(b[:n]); strings.HasPrefix(text, want) {
				return text
			}
		}
	}
	r := servicetest.Start(t, newAgent())
	next("READY=1")
	next("WATCHDOG=1")
	next("WATCHDOG=1")
	r.Reload <- os.Interrupt
	assert.Regexp(t, `^RELOADING=1\nMONOTONIC_USEC=\d+`, next("RELOADING=1"))
	next("READY=1")
	r.Stop()
	next("STOPPING=1")
	assert.Zero(t, <-r.Ended)
}

package main_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	main "github.com/spoke-go/spoke/examples/ip-reputation"
	"github.com/spoke-go/spoke/service/servicetest"
)

// once runs the program with flags that end it by themselves.
func once(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	return onceWith(t, nil, args...)
}

func onceWith(t *testing.T, environ []string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	return servicetest.Once(t, main.Agent(), environ, args...)
}

func TestHelp(t *testing.T) {
	status, stdout, stderr := once(t, "-h")
	assert.Zero(t, status)
	assert.Empty(t, stderr)
	for _, name := range []string{"-list", "-allow", "-listen", "-admin-listen", "-poll", "-timeout", "-shutdown-timeout",
		"-log-level", "-log-format", "-log-decisions", "-t", "-validate", "-version", "IPREP_LOG_LEVEL", "OTEL_EXPORTER_OTLP_ENDPOINT"} {
		assert.Contains(t, stdout, name)
	}
}

func TestWrongFlag(t *testing.T) {
	status, stdout, stderr := once(t, "-lsit", "x")
	assert.Equal(t, 2, status)
	assert.Empty(t, stdout)
	assert.Equal(t, "ip-reputation: -lsit: is unknown: write -list\n", stderr)
}

func TestVersion(t *testing.T) {
	status, stdout, _ := once(t, "-version")
	assert.Zero(t, status)
	assert.Regexp(t, `^ip-reputation \S+\n$`, stdout)
}

func TestValidate(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	good := []string{}
	for i := range 9 {
		good = append(good, "192.0.2."+string(rune('1'+i)))
	}
	writeList(t, path("good.txt"), good...)
	writeList(t, path("tenth.txt"), append(good, "garbage")...)
	writeList(t, path("empty.txt"), "# nothing")
	writeList(t, path("binary.txt"), "\x7fELF\x00")

	t.Run("samples", func(t *testing.T) {
		status, stdout, _ := once(t, "-t")
		assert.Zero(t, status)
		assert.Equal(t, "ip-reputation: the configuration is good\n", stdout)
	})
	t.Run("a list with one bad line in ten", func(t *testing.T) {
		status, stdout, stderr := once(t, "-validate", "-list", path("tenth.txt"))
		assert.Zero(t, status)
		assert.Equal(t, "ip-reputation: the configuration is good\n", stdout)
		assert.Contains(t, stderr, `msg="bad line left out" list=tenth path=`+path("tenth.txt")+` line=10 reason="neither an address nor a CIDR" text=garbage`)
	})
	t.Run("broken lists, a line for each", func(t *testing.T) {
		status, stdout, stderr := once(t, "-t", "-log-level", "error",
			"-list", path("good.txt"), "-list", path("empty.txt"), "-list", path("binary.txt"), "-allow", path("none.txt"))
		assert.Equal(t, 1, status)
		assert.Empty(t, stdout)
		assert.Equal(t, strings.ReplaceAll(`ip-reputation: list "empty": DIR/empty.txt: is empty (no address in it): fill it, or take the list out of the flags if that is meant
ip-reputation: list "binary": DIR/binary.txt: is a binary file (NUL byte in line 1): point to a text file with one address or CIDR a line
ip-reputation: list "allow": DIR/none.txt: does not exist: check the path, or add optional=true if the file comes later
`, "DIR", dir), stderr)
	})
	t.Run("the same for a program that reads the log", func(t *testing.T) {
		status, _, stderr := once(t, "-t", "-log-format", "json", "-list", path("empty.txt"))
		assert.Equal(t, 1, status)
		assert.Regexp(t, `^\{"time":"[^"]+","level":"ERROR","msg":"list \\"empty\\": .*"\}\n$`, stderr)
	})
}

func TestPortInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	status, _, stderr := once(t, "-log-level", "error", "-admin-listen", "off", "-listen", taken.Addr().String())
	assert.Equal(t, 1, status)
	assert.Equal(t, 1, strings.Count(stderr, "\n"), stderr)
	assert.Contains(t, stderr, taken.Addr().String())
	assert.Contains(t, stderr, "address already in use")
	assert.Contains(t, stderr, "-listen")
}

// SIGTERM ends the agent without HAProxy; haproxy_test.go has the same with it.
func TestEndsCleanly(t *testing.T) {
	a := startAgent(t)
	a.Stop()
	select {
	case status := <-a.Ended:
		assert.Zero(t, status)
	case <-time.After(patience):
		t.Fatal("it did not end")
	}
	a.Log.Wait(t, `msg=stopped`)
	_, err := net.Dial("tcp", a.Addr(t))
	require.Error(t, err)
}

// The whole program picks changes up by itself and on SIGHUP.
func TestReload(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bad.txt")
	writeList(t, path, "192.0.2.1")
	a := startAgent(t, "-list", path)
	writeList(t, path, "192.0.2.1", "192.0.2.2")
	a.Log.Wait(t, `msg="list reloaded" list=bad .*entries=2 before=1`)

	require.NoError(t, os.Truncate(path, 0))
	a.Log.Wait(t, `level=ERROR msg="list not taken, the last good one stays" list=bad .*is empty.* entries=2`)

	writeList(t, path, "192.0.2.3")
	a.Log.Wait(t, `msg="list recovered" list=bad .*entries=1 before=2`)

	a.Reload <- os.Interrupt
	a.Log.Wait(t, `msg="reading all lists again"`)
}

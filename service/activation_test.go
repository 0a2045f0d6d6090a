package service_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/service/servicetest"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// buildGuard builds internal/guard and returns the path of the program.
func buildGuard(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "guard")
	out, err := exec.Command("go", "build", "-o", program, "./internal/guard").CombinedOutput()
	require.NoError(t, err, string(out))
	return program
}

// A process that systemd handed a socket answers on it, and ends on SIGTERM.
func TestSocketActivation(t *testing.T) {
	program := buildGuard(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	file, err := ln.(*net.TCPListener).File()
	require.NoError(t, err)
	defer file.Close()

	log := servicetest.NewBuffer()
	cmd := exec.Command("sh", "-c", `LISTEN_PID=$$ exec "$0" -listen systemd -admin-listen off`, program)
	cmd.Env = append(os.Environ(), "LISTEN_FDS=1")
	cmd.ExtraFiles = []*os.File{file} // descriptor 3
	cmd.Stderr = log
	require.NoError(t, cmd.Start())
	defer cmd.Process.Kill()
	log.Wait(t, `msg=ready`)
	_, err = spoetest.HealthCheck(t.Context(), "tcp", ln.Addr().String())
	require.NoError(t, err)
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	go func() { // ends with the process
		for range 20 { // HAProxy looks for another agent
			_, _ = spoetest.HealthCheck(t.Context(), "tcp", ln.Addr().String())
		}
	}()
	require.NoError(t, cmd.Wait(), log.String())
	assert.Contains(t, log.String(), "msg=stopped")
}

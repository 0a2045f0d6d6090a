//go:build unix

// Package redistest starts real Redis servers for tests.
package redistest

import (
	"net"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/internal/freeaddr"
	"github.com/spoke-go/spoke/internal/recipes"
)

// Server is a Redis on a port of the loopback interface, which ends with the test.
type Server struct {
	Addr string

	t       *testing.T
	bus     string // port of a node of a cluster, for the others
	args    []string
	ready   *regexp.Regexp
	process *recipes.Process
}

// Start starts a Redis that saves nothing, with these arguments.
func Start(t *testing.T, args ...string) *Server {
	t.Helper()
	port := freeaddr.Port(t)
	s := &Server{t: t, Addr: "127.0.0.1:" + port, ready: ready}
	s.Args(args...)
	s.Restart()
	return s
}

// Args replaces the arguments for the next start.
func (s *Server) Args(args ...string) {
	_, port, err := net.SplitHostPort(s.Addr)
	require.NoError(s.t, err)
	s.args = append([]string{"--port", port, "--bind", "127.0.0.1", "--dir", s.t.TempDir(), "--save", "", "--appendonly", "no", "--repl-diskless-sync-delay", "0"}, args...)
	for i, arg := range s.args {
		s.args[i] = strings.Replace(arg, "PORT", port, 1)
	}
}

var ready = regexp.MustCompile(`(Ready to accept connections)`)

// Restart starts a server that was killed, without its data.
func (s *Server) Restart() {
	s.t.Helper()
	path, err := exec.LookPath("redis-server")
	require.NoError(s.t, err, "make redis installs it")
	s.process = recipes.StartProgram(s.t, path, s.ready, s.args...)
}

// Output returns the server's log since its last start.
func (s *Server) Output() string { return s.process.Output() }

// Kill ends the server as a crash does, and waits for its end.
func (s *Server) Kill() { s.process.Kill() }

// Hang stops the server's answers until GoOn.
func (s *Server) Hang() { s.process.Hang() }

// GoOn ends Hang.
func (s *Server) GoOn() { s.process.Signal(syscall.SIGCONT) }

// TLS returns the arguments of a server that speaks only TLS, and accepts only clients with
// a certificate.
func TLS(cert, key, ca string) []string {
	return []string{"--port", "0", "--tls-port", "PORT", "--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", ca}
}

// patience bounds every wait; only a failure reaches it.
const patience = 30 * time.Second

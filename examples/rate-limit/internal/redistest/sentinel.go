//go:build unix

package redistest

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spoke-go/spoke/internal/freeaddr"
	"github.com/stretchr/testify/require"
)

var watches = regexp.MustCompile(`(\+monitor master)`)

// StartSentinel starts a sentinel that watches a master by the name main, and makes one of
// its replicas the master if it is gone for a second.
func StartSentinel(t *testing.T, master *Server) *Server {
	t.Helper()
	host, port, err := net.SplitHostPort(master.Addr)
	require.NoError(t, err)
	own, dir := freeaddr.Port(t), t.TempDir()
	config := []string{
		"port " + own, "bind 127.0.0.1", "dir " + dir,
		"sentinel monitor main " + host + " " + port + " 1",
		"sentinel down-after-milliseconds main 1000",
	}
	file := filepath.Join(dir, "sentinel.conf")
	require.NoError(t, os.WriteFile(file, []byte(strings.Join(config, "\n")+"\n"), 0o600))
	s := &Server{t: t, Addr: "127.0.0.1:" + own, ready: watches, args: []string{file, "--sentinel"}}
	s.Restart()
	return s
}

// StartReplica starts a replica of a master, and waits until the replica is up to date. In
// a cluster it is another node, which the others know.
func StartReplica(t *testing.T, master *Server, others ...*Server) *Server {
	t.Helper()
	m := connect(t, master)
	var s *Server
	if id, err := m.ClusterMyID(t.Context()).Result(); err != nil {
		host, port, err := net.SplitHostPort(master.Addr)
		require.NoError(t, err)
		s = Start(t, "--replicaof", host+" "+port)
	} else {
		s = startNode(t)
		meet(t, s, master)
		r := connect(t, s)
		require.Eventually(t, func() bool { return r.ClusterReplicate(t.Context(), id).Err() == nil }, patience, tick, "a replica of %s", master.Addr)
		for _, node := range append(others, master) {
			n := connect(t, node)
			require.Eventually(t, func() bool {
				nodes, err := n.ClusterNodes(t.Context()).Result()
				return err == nil && strings.Contains(nodes, " slave "+id+" ")
			}, patience, tick, "%s does not know the replica of %s", node.Addr, master.Addr)
		}
	}
	require.Eventually(t, func() bool {
		info, err := m.Info(t.Context(), "replication").Result()
		return err == nil && strings.Contains(info, "state=online")
	}, patience, tick, "the replica of %s is not in step", master.Addr)
	return s
}

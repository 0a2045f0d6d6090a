//go:build unix

package redistest

import (
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spoke-go/spoke/internal/freeaddr"
	"github.com/stretchr/testify/require"
)

const (
	slots = 16384
	tick  = 50 * time.Millisecond
)

// StartCluster starts a cluster of n masters.
func StartCluster(t *testing.T, n int) []*Server {
	t.Helper()
	var servers []*Server
	for i := range n {
		s := startNode(t)
		client := connect(t, s)
		require.NoError(t, client.ClusterAddSlotsRange(t.Context(), i*slots/n, (i+1)*slots/n-1).Err())
		for _, other := range servers {
			meet(t, s, other)
		}
		servers = append(servers, s)
	}
	for _, s := range servers {
		client := connect(t, s)
		require.Eventually(t, func() bool {
			info, err := client.ClusterInfo(t.Context()).Result()
			return err == nil && strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_known_nodes:"+strconv.Itoa(n))
		}, patience, tick, "the cluster of %s", s.Addr)
	}
	return servers
}

func startNode(t *testing.T) *Server {
	bus := freeaddr.Port(t)
	s := Start(t, "--cluster-enabled", "yes", "--cluster-port", bus, "--cluster-node-timeout", "2000")
	s.bus = bus
	return s
}

// meet makes one node known to another.
func meet(t *testing.T, s, other *Server) {
	t.Helper()
	host, port, err := net.SplitHostPort(other.Addr)
	require.NoError(t, err)
	require.NoError(t, connect(t, s).Do(t.Context(), "cluster", "meet", host, port, other.bus).Err())
}

// connect returns a client of a server that ends with the test.
func connect(t *testing.T, s *Server) *redis.Client {
	client := redis.NewClient(&redis.Options{Addr: s.Addr})
	t.Cleanup(func() { _ = client.Close() }) // the server may have ended before
	return client
}

// Addrs returns the servers' addresses.
func Addrs(servers []*Server) (addrs []string) {
	for _, s := range servers {
		addrs = append(addrs, s.Addr)
	}
	return addrs
}

//go:build unix

package redistest

import (
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

const slots = 16384

// StartCluster starts a cluster of n masters.
func StartCluster(t *testing.T, n int) []*Server {
	t.Helper()
	var servers []*Server
	var bus []string
	for range n {
		bus = append(bus, FreePort(t))
		servers = append(servers, Start(t, "--cluster-enabled", "yes", "--cluster-port", bus[len(bus)-1], "--cluster-node-timeout", "2000"))
	}
	for i, s := range servers {
		client := redis.NewClient(&redis.Options{Addr: s.Addr})
		defer client.Close()
		require.NoError(t, client.ClusterAddSlotsRange(t.Context(), i*slots/n, (i+1)*slots/n-1).Err())
		for j, other := range servers[:i] {
			host, port, err := net.SplitHostPort(other.Addr)
			require.NoError(t, err)
			require.NoError(t, client.Do(t.Context(), "cluster", "meet", host, port, bus[j]).Err())
		}
	}
	for _, s := range servers {
		client := redis.NewClient(&redis.Options{Addr: s.Addr})
		defer client.Close()
		require.Eventually(t, func() bool {
			info, err := client.ClusterInfo(t.Context()).Result()
			return err == nil && strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_known_nodes:"+strconv.Itoa(n))
		}, patience, 50*time.Millisecond, "the cluster of %s", s.Addr)
	}
	return servers
}

// Addrs returns the servers' addresses.
func Addrs(servers []*Server) (addrs []string) {
	for _, s := range servers {
		addrs = append(addrs, s.Addr)
	}
	return addrs
}

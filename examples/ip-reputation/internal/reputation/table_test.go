package reputation_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/examples/ip-reputation/internal/reputation"
)

func entries(l reputation.List, prefixes ...string) reputation.Entries {
	e := reputation.Entries{List: l}
	for _, p := range prefixes {
		e.Prefixes = append(e.Prefixes, netip.MustParsePrefix(p))
	}
	return e
}

var (
	allow   = reputation.List{Name: "allow", Score: 100, Allow: true}
	drop    = reputation.List{Name: "drop", Score: 0}
	tor     = reputation.List{Name: "tor", Score: 20}
	abuse   = reputation.List{Name: "abuse", Score: 20}
	suspect = reputation.List{Name: "suspect", Score: 50}
)

func TestLookup(t *testing.T) {
	table := reputation.Build([]reputation.Entries{
		entries(suspect, "192.0.2.0/24", "203.0.113.0/24", "2001:db8::/32"),
		entries(tor, "192.0.2.7/32", "203.0.113.0/24", "198.51.100.0/25"),
		entries(abuse, "198.51.100.0/25"),
		entries(drop, "192.0.2.64/26", "203.0.113.0/24", "2001:db8:bad::/48", "2001:db8:bad::1/128"),
		entries(allow, "192.0.2.0/28", "2001:db8:bad::/64"),
		entries(drop, "198.51.100.128/25"),
	})
	for _, tt := range []struct{ name, addr, want string }{
		{"on no list", "198.18.0.1", ""},
		{"on no list, IPv6", "2001:db9::1", ""},
		{"one list", "192.0.2.200", "suspect"},
		{"the longest prefix wins, worse score", "192.0.2.66", "drop"},
		{"the same prefix on three lists: the worst score wins", "203.0.113.5", "drop"},
		{"the same score: the first one given wins", "198.51.100.3", "tor"},
		{"a second file of the same list", "198.51.100.200", "drop"},
		{"an allow list wins over a longer prefix", "192.0.2.7", "allow"},
		{"and over a longer one in IPv6", "2001:db8:bad::1", "allow"},
		{"IPv6", "2001:db8:bad:1::1", "drop"},
		{"IPv6, wide", "2001:db8:1::1", "suspect"},
		{"IPv4-mapped IPv6", "::ffff:192.0.2.66", "drop"},
		{"with a zone", "2001:db8:1::1%eth0", "suspect"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			list := table.Lookup(netip.MustParseAddr(tt.addr))
			if tt.want == "" {
				assert.Nil(t, list)
				return
			}
			require.NotNil(t, list)
			assert.Equal(t, tt.want, list.Name)
		})
	}
	assert.Nil(t, table.Lookup(netip.Addr{}), "the zero address")
	assert.Equal(t, 11, table.Size())
}

// The longest prefix decides even where the list with the wider one is worse:
// the order of the lists must not matter for that.
func TestLongestPrefixBeatsWorseScore(t *testing.T) {
	a, b := entries(drop, "192.0.2.0/24"), entries(suspect, "192.0.2.7/32")
	for _, in := range [][]reputation.Entries{{a, b}, {b, a}} {
		assert.Equal(t, suspect, *reputation.Build(in).Lookup(netip.MustParseAddr("192.0.2.7")))
	}
}

func TestZeroTable(t *testing.T) {
	var table reputation.Table
	assert.Nil(t, table.Lookup(netip.MustParseAddr("192.0.2.1")))
}

func TestLookupDoesNotAllocate(t *testing.T) {
	table := reputation.Build([]reputation.Entries{
		entries(allow, "192.0.2.0/28"),
		entries(drop, "192.0.2.0/24", "2001:db8::/32"),
	})
	for _, s := range []string{"192.0.2.1", "192.0.2.66", "2001:db8::1", "::ffff:192.0.2.66", "198.51.100.1"} {
		addr := netip.MustParseAddr(s)
		assert.Zero(t, testing.AllocsPerRun(100, func() { table.Lookup(addr) }), s)
	}
}

package reputation_test

import (
	"math/rand/v2"
	"net/netip"
	"runtime"
	"testing"

	"github.com/spoke-go/spoke/examples/ip-reputation/internal/reputation"
)

// million makes a million different prefixes, most of them single IPv4
// addresses, as the big published lists have it. The same every time.
func million() []netip.Prefix {
	const n = 1_000_000
	rng := rand.New(rand.NewPCG(1, 2))
	seen := make(map[netip.Prefix]bool, n)
	for len(seen) < n {
		p := random(rng)
		seen[p] = true
	}
	all := make([]netip.Prefix, 0, n)
	for p := range seen {
		all = append(all, p)
	}
	return all
}

func random(rng *rand.Rand) netip.Prefix {
	kind := rng.IntN(10)
	if kind == 0 { // one in ten IPv6, /32 to /64
		a := [16]byte{0x20, 0x01, 0x0d, 0xb8}
		for i := 4; i < 8; i++ {
			a[i] = byte(rng.Uint32())
		}
		return netip.PrefixFrom(netip.AddrFrom16(a), 48+rng.IntN(17)).Masked()
	}
	u := rng.Uint32()
	addr := netip.AddrFrom4([4]byte{byte(u >> 24), byte(u >> 16), byte(u >> 8), byte(u)})
	bits := 32
	if kind == 1 { // one in ten an IPv4 network, /16 to /31
		bits = 16 + rng.IntN(16)
	}
	return netip.PrefixFrom(addr, bits).Masked()
}

func split(all []netip.Prefix) []reputation.Entries {
	n := len(all)
	return []reputation.Entries{
		{List: drop, Prefixes: all[:n/2]},
		{List: tor, Prefixes: all[n/2 : n-1000]},
		{List: allow, Prefixes: all[n-1000:]},
	}
}

func BenchmarkLookupMillion(b *testing.B) {
	all := million()
	table := reputation.Build(split(all))
	if table.Size() != len(all) {
		b.Fatalf("the table holds %d prefixes, want %d", table.Size(), len(all))
	}
	const n = 1 << 16
	rng := rand.New(rand.NewPCG(3, 4))
	hits, anything := make([]netip.Addr, n), make([]netip.Addr, n)
	for i := range n {
		hits[i] = all[rng.IntN(len(all))].Addr()
		anything[i] = random(rng).Addr()
	}
	for name, addrs := range map[string][]netip.Addr{"listed": hits, "random": anything} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				runtime.KeepAlive(table.Lookup(addrs[i%n]))
			}
		})
	}
}

func BenchmarkBuildMillion(b *testing.B) {
	in := split(million())
	b.ReportAllocs()
	for b.Loop() {
		runtime.KeepAlive(reputation.Build(in))
	}
}

package iplist_test

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/examples/ip-reputation/internal/iplist"
)

// FuzzParse holds what must be true of any input: no panic, no more entries and
// problems than lines, entries masked and never IPv4-mapped, and what was read
// reads the same when it is written out again.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.*")
	require.NoError(f, err)
	require.NotEmpty(f, files)
	for _, name := range files {
		b, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(b)
	}
	f.Add([]byte("::ffff:192.0.2.0/120\n2001:db8::1%eth0\n192.0.2.1\x00"))

	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := iplist.Parse("f", bytes.NewReader(b))
		require.NotNil(t, list)
		require.LessOrEqual(t, len(list.Prefixes)+list.Bad, bytes.Count(b, []byte("\n"))+1)
		require.LessOrEqual(t, len(list.Problems), min(list.Bad, iplist.MaxProblems))
		for _, p := range list.Problems {
			require.NotEmpty(t, p.Reason)
			require.Positive(t, p.Line)
		}
		var again strings.Builder
		for _, p := range list.Prefixes {
			require.True(t, p.IsValid())
			require.Positive(t, p.Bits())
			require.Equal(t, p.Masked(), p)
			require.False(t, p.Addr().Is4In6())
			again.WriteString(p.String() + "\n")
		}
		if err != nil {
			return
		}
		require.NotEmpty(t, list.Prefixes)
		require.LessOrEqual(t, list.Bad, len(list.Prefixes))
		second, err := iplist.Parse("f", strings.NewReader(again.String()))
		require.NoError(t, err)
		require.Equal(t, list.Prefixes, second.Prefixes)
	})
}

func FuzzParsePrefix(f *testing.F) {
	for _, s := range []string{"192.0.2.1", "192.0.2.0/24", "2001:db8::/32", "::ffff:192.0.2.0/120", "fe80::1%1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := iplist.ParsePrefix(s)
		if err != nil {
			require.Equal(t, netip.Prefix{}, p)
			return
		}
		again, err := iplist.ParsePrefix(p.String())
		require.NoError(t, err)
		require.Equal(t, p, again)
	})
}

package iplist_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/spoke-go/spoke/examples/ip-reputation/internal/iplist"
)

func BenchmarkParse(b *testing.B) {
	const n = 100_000
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "198.%d.%d.%d # seen twice\n", 18+i>>16, i>>8&255, i&255)
	}
	b.SetBytes(int64(text.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if list, err := iplist.Parse("x", strings.NewReader(text.String())); err != nil || len(list.Prefixes) != n {
			b.Fatal(err)
		}
	}
}

package iplist_test

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/examples/ip-reputation/internal/iplist"
)

func texts(prefixes []netip.Prefix) []string {
	var s []string
	for _, p := range prefixes {
		s = append(s, p.String())
	}
	return s
}

// Files in the forms that publishers use.
func TestParsePublishedForms(t *testing.T) {
	for _, tt := range []struct {
		file string
		want []string
	}{
		{"firehol.netset", []string{"192.0.2.0/25", "192.0.2.200/32", "198.51.100.16/28", "198.51.100.77/32", "203.0.113.0/24"}},
		{"drop.txt", []string{"192.0.2.0/24", "198.51.100.0/25", "203.0.113.128/25"}},
		{"drop.jsonl", []string{"192.0.2.0/24", "2001:db8:5::/48", "198.51.100.0/25"}},
		{"tor-bulk.txt", []string{"192.0.2.7/32", "198.51.100.9/32", "203.0.113.11/32", "2001:db8::7/128"}},
		{"tor-exit-addresses.txt", []string{"192.0.2.7/32", "198.51.100.9/32", "198.51.100.10/32"}},
		{"crlf.txt", []string{"192.0.2.1/32", "2001:db8::/48", "198.51.100.5/32", "203.0.113.0/24"}},
	} {
		t.Run(tt.file, func(t *testing.T) {
			f, err := os.Open(filepath.Join("testdata", tt.file))
			require.NoError(t, err)
			defer f.Close()
			list, err := iplist.Parse(tt.file, f)
			require.NoError(t, err)
			assert.Equal(t, tt.want, texts(list.Prefixes))
			assert.Empty(t, list.Problems)
			assert.Zero(t, list.Bad)
		})
	}
}

func TestParseLine(t *testing.T) {
	for _, tt := range []struct {
		name, line string
		want       string // the prefix; "" for none
		reason     string // of a bad line
	}{
		{name: "IPv4", line: "192.0.2.1", want: "192.0.2.1/32"},
		{name: "IPv4 CIDR", line: "192.0.2.0/24", want: "192.0.2.0/24"},
		{name: "IPv6", line: "2001:DB8::1", want: "2001:db8::1/128"},
		{name: "IPv6 CIDR", line: "2001:db8::/32", want: "2001:db8::/32"},
		{name: "host bits", line: "192.0.2.77/24", want: "192.0.2.0/24"},
		{name: "host bits IPv6", line: "2001:db8::1/32", want: "2001:db8::/32"},
		{name: "mapped address", line: "::ffff:192.0.2.1", want: "192.0.2.1/32"},
		{name: "mapped address in hex", line: "::ffff:c000:201", want: "192.0.2.1/32"},
		{name: "mapped CIDR", line: "::ffff:192.0.2.0/120", want: "192.0.2.0/24"},
		{name: "mapped CIDR too short", line: "::ffff:192.0.2.0/95", reason: "IPv4-mapped prefix shorter than /96"},
		{name: "mapped everything", line: "::ffff:0.0.0.0/96", reason: "covers every address, which no published list means"},
		{name: "everything", line: "0.0.0.0/0", reason: "covers every address, which no published list means"},
		{name: "everything IPv6", line: "::/0", reason: "covers every address, which no published list means"},
		{name: "comment", line: "# 192.0.2.1"},
		{name: "other comment", line: " ; 192.0.2.1"},
		{name: "blank", line: " \t "},
		{name: "trailing comment", line: "192.0.2.1 # why", want: "192.0.2.1/32"},
		{name: "trailing comment, no space", line: "192.0.2.0/24;SBL1", want: "192.0.2.0/24"},
		{name: "word", line: "example.org", reason: "neither an address nor a CIDR"},
		{name: "leading zero", line: "192.0.02.1", reason: "neither an address nor a CIDR"},
		{name: "three octets", line: "192.0.2", reason: "neither an address nor a CIDR"},
		{name: "port", line: "192.0.2.1:80", reason: "neither an address nor a CIDR"},
		{name: "too long a prefix", line: "192.0.2.0/33", reason: "bad prefix length"},
		{name: "netmask", line: "192.0.2.0/255.255.255.0", reason: "bad prefix length"},
		{name: "no prefix length", line: "192.0.2.0/", reason: "bad prefix length"},
		{name: "zone", line: "fe80::1%eth0", reason: "address with a zone"},
		{name: "zone in a CIDR", line: "fe80::%eth0/64", reason: "address with a zone"},
		{name: "range", line: "192.0.2.1 - 192.0.2.9", reason: "text after the address, neither '#' nor ';' before it"},
		{name: "second column", line: "192.0.2.1\t3", reason: "text after the address, neither '#' nor ';' before it"},
		{name: "JSON", line: `{"cidr":"192.0.2.0/24","sblid":"SBL1","rir":"arin"}`, want: "192.0.2.0/24"},
		{name: "JSON metadata", line: `{"type":"metadata","records":1}`},
		{name: "JSON without cidr", line: `{"asn":64496}`, reason: `JSON object without "cidr"`},
		{name: "JSON cut off", line: `{"cidr":"192.0.2`, reason: "broken JSON"},
		{name: "JSON, bad cidr", line: `{"cidr":"192.0.2.0/40"}`, reason: "bad prefix length"},
		{name: "Tor, metadata", line: "ExitNode 0000000000000000000000000000000000000001"},
		{name: "Tor, address", line: "ExitAddress 192.0.2.7 2024-01-01 11:04:43", want: "192.0.2.7/32"},
		{name: "Tor, no address", line: "ExitAddress", reason: "neither an address nor a CIDR"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			// A good line before it keeps the file from being refused as a whole.
			list, err := iplist.Parse("x.txt", strings.NewReader("192.0.2.99\n"+tt.line+"\n"))
			require.NoError(t, err)
			got := texts(list.Prefixes)[1:]
			if tt.want == "" {
				assert.Empty(t, got)
			} else {
				assert.Equal(t, []string{tt.want}, got)
			}
			if tt.reason == "" {
				assert.Empty(t, list.Problems)
				return
			}
			assert.Equal(t, []iplist.Problem{{File: "x.txt", Line: 2, Text: tt.line, Reason: tt.reason}}, list.Problems)
		})
	}
}

func TestParseWithoutFinalLineEnd(t *testing.T) {
	list, err := iplist.Parse("x", strings.NewReader("192.0.2.1\n192.0.2.2"))
	require.NoError(t, err)
	assert.Equal(t, []string{"192.0.2.1/32", "192.0.2.2/32"}, texts(list.Prefixes))
}

func TestParseByteOrderMark(t *testing.T) {
	list, err := iplist.Parse("x", strings.NewReader("\xef\xbb\xbf192.0.2.1\n"))
	require.NoError(t, err)
	assert.Equal(t, []string{"192.0.2.1/32"}, texts(list.Prefixes))
}

// One line in ten is garbage: the list stands, every bad line is counted, the
// first are reported with their place.
func TestParseTenthGarbage(t *testing.T) {
	f, err := os.Open("testdata/tenth-garbage.txt")
	require.NoError(t, err)
	defer f.Close()
	list, err := iplist.Parse("lists/tenth.txt", f)
	require.NoError(t, err)
	assert.Len(t, list.Prefixes, 90)
	assert.Equal(t, 10, list.Bad)
	require.Len(t, list.Problems, iplist.MaxProblems)
	assert.Equal(t, `lists/tenth.txt:4: neither an address nor a CIDR: "not an address"`, list.Problems[0].String())
	assert.Equal(t, `lists/tenth.txt:24: bad prefix length: "192.0.2.0/33"`, list.Problems[2].String())
}

// Half and half is the last that is taken.
func TestParseGarbageShare(t *testing.T) {
	_, err := iplist.Parse("x", strings.NewReader("192.0.2.1\nx\n192.0.2.2\ny\n"))
	require.NoError(t, err)
	_, err = iplist.Parse("x", strings.NewReader("192.0.2.1\nx\n192.0.2.2\ny\nz\n"))
	require.Error(t, err)
}

func TestParseLongLine(t *testing.T) {
	long := strings.Repeat("x", 200<<10)
	list, err := iplist.Parse("x", strings.NewReader("192.0.2.1\n"+long+"\n192.0.2.2\n# "+long+"\n192.0.2.3"))
	require.NoError(t, err)
	assert.Equal(t, []string{"192.0.2.1/32", "192.0.2.2/32", "192.0.2.3/32"}, texts(list.Prefixes))
	require.Len(t, list.Problems, 2)
	assert.Equal(t, 2, list.Problems[0].Line)
	assert.Equal(t, "line too long", list.Problems[0].Reason)
	assert.Equal(t, strings.Repeat("x", 60)+"...", list.Problems[0].Text)
	assert.Equal(t, 4, list.Problems[1].Line)
}

func TestParseRefuses(t *testing.T) {
	for _, tt := range []struct{ name, content, want string }{
		{"no byte", "", "l.txt: is empty (no address in it): fill it, or take the list out of the flags if that is meant"},
		{"comments only", "# nothing\n\n;today\n", "l.txt: is empty (no address in it): fill it, or take the list out of the flags if that is meant"},
		{"mostly garbage", "time,user\n10:00,alice\n192.0.2.1\n", `l.txt: does not look like an IP list (2 of 3 lines are no address, the first is line 1: "time,user"): point to a file with one address or CIDR a line`},
		{"an error page", "\n <!DOCTYPE html>\n<html>192.0.2.1</html>", "l.txt: is an HTML page: the download probably saved an error page; fetch the list again"},
		{"a program", "\x7fELF\x02\x01\x01\x00\x00", "l.txt: is a binary file (NUL byte in line 1): point to a text file with one address or CIDR a line"},
		{"zeros after a crash", "192.0.2.1\n192.0.2.2\n\x00\x00\x00", "l.txt: is a binary file (NUL byte in line 3): point to a text file with one address or CIDR a line"},
		{"many zeros", "192.0.2.1\n" + strings.Repeat("\x00", 100<<10), "l.txt: is a binary file (NUL byte in line 2): point to a text file with one address or CIDR a line"},
		{"gzip", "\x1f\x8b\x08", "l.txt: is gzip-compressed: unpack it first (gunzip)"},
		{"UTF-16", "\xff\xfe1\x009\x002\x00", "l.txt: is UTF-16 text: convert it to UTF-8"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := iplist.Parse("l.txt", strings.NewReader(tt.content))
			require.EqualError(t, err, tt.want)
			var refused *iplist.Error
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, "l.txt", refused.File)
		})
	}
}

func TestParseReadError(t *testing.T) {
	const want = "l.txt: cannot be read (bad sector): check that it is a file, and the disk that it is on"
	_, err := iplist.Parse("l.txt", iotest.ErrReader(errors.New("bad sector")))
	require.EqualError(t, err, want)

	late := iotest.DataErrReader(iotest.TimeoutReader(strings.NewReader(strings.Repeat("192.0.2.1\n", 20000))))
	_, err = iplist.Parse("l.txt", late)
	require.EqualError(t, err, "l.txt: cannot be read (timeout): check that it is a file, and the disk that it is on")
}

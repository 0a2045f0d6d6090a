package command

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

// form is one way in which people write bytes as text.
type form struct {
	name string
	// line matches a line of the form; its groups are an offset, which may be
	// missing, and the bytes.
	line *regexp.Regexp
	// base is the base of the offset: 8, or 0 for 16.
	base int
	// bytes reads the second group.
	bytes func(string) ([]byte, error)
	// starts tells the form by its first line, where line is not enough.
	starts *regexp.Regexp
}

// plainHex is the form that needs no word.
const plainHex = "hex digits"

// forms are tried in this order.
var forms = []form{
	{name: "hexdump -C", line: regexp.MustCompile(`^([0-9a-fA-F]{7,})((?:\s+[0-9a-fA-F]{2})*)\s*(?:\|.*\|?)?$`), bytes: hexBytes,
		starts: regexp.MustCompile(`^[0-9a-fA-F]{8}\s.*\|`)},
	{name: "tcpdump -x", line: regexp.MustCompile(`^\s*0x([0-9a-fA-F]{4,}):\s+((?:[0-9a-fA-F]{2,4} ?)+)(?:\s.*)?$`), bytes: hexBytes},
	{name: "xxd", line: regexp.MustCompile(`^\s*([0-9a-fA-F]+): ((?:[0-9a-fA-F]{2,} ?)+)(?: .*)?$`), bytes: hexBytes},
	{name: "a Wireshark hex dump", line: regexp.MustCompile(`^\s*([0-9a-fA-F]{4,8})\s{2,}((?:[0-9a-fA-F]{2} {1,2}){1,16}|(?:[0-9a-fA-F]{2} {1,2})*[0-9a-fA-F]{2})(?:\s.*)?$`), bytes: hexBytes},
	{name: "od -t x1", base: 8, line: regexp.MustCompile(`^([0-7]{7})((?: [0-9a-fA-F]{2})*)\s*(?:>.*<)?$`), bytes: hexBytes},
	{name: "od -A x -t x1", line: regexp.MustCompile(`^([0-9a-fA-F]{6})((?: [0-9a-fA-F]{2})*)\s*(?:>.*<)?$`), bytes: hexBytes},
	{name: "gdb's x/xb", line: regexp.MustCompile(`^\s*0x([0-9a-fA-F]+)(?: <[^>]*>)?:((?:\s+0x[0-9a-fA-F]{1,2})+)\s*$`), bytes: arrayBytes},
	{name: "an array of bytes", line: regexp.MustCompile(`^()[^{"]*?[{\[]?\s*((?:(?:0[xX][0-9a-fA-F]{1,2}|\d{1,3})(?:\s*<repeats \d+ times>)?\s*,?\s*)+)[}\]]?;?\s*,?\s*$`), bytes: arrayBytes,
		starts: regexp.MustCompile(`0[xX][0-9a-fA-F]{1,2}\s*[,<]|^\s*[\[{]\s*\d{1,3}(?:[,\s]+\d{1,3}){4}`)},
	{name: `a string with escapes`, line: regexp.MustCompile(`^()(.*\\(?:x[0-9a-fA-F]|[0-7]).*)$`), bytes: escapedBytes},
	{name: "a frame between < and >, without its length", line: regexp.MustCompile(`^().*?<((?:[0-9a-fA-F]{2}\s*)+)>\s*$`), bytes: hexBytes},
	{name: "hex digits with colons", line: regexp.MustCompile(`^\s*()((?:[0-9a-fA-F]{2}:)+[0-9a-fA-F]{2}:?)$`), bytes: hexBytes},
	{name: "hex digits behind 0x", line: regexp.MustCompile(`^\s*()0[xX]((?:[0-9a-fA-F]{2}){4,})$`), bytes: hexBytes},
	{name: plainHex, line: regexp.MustCompile(`^\s*()((?:[0-9a-fA-F]{2}\s*)+)$`), bytes: hexBytes},
	{name: "base64", line: regexp.MustCompile(`^\s*()([A-Za-z0-9+/]+={0,2})$`), bytes: base64.StdEncoding.DecodeString,
		starts: regexp.MustCompile(`^\s*[A-Za-z0-9+/]{20,}={0,2}$`)},
}

// unreadable are forms of which decode cannot tell the bytes, with the text that decode can read.
var unreadable = []struct {
	line *regexp.Regexp
	fix  string
}{
	{regexp.MustCompile(`^[0-9a-f]{7}(?: +[0-9a-f]{4})+\s*$`), "this is hexdump without -C, or od -x, which swaps the bytes of each pair: paste the output of hexdump -C"},
	{regexp.MustCompile(`^\s*0x[0-9a-fA-F]+(?: <[^>]*>)?:(?:\s+0x[0-9a-fA-F]{4,})+\s*$`), "these are gdb's words, whose bytes may be swapped: paste the output of x/NNxb, where NN is the number of bytes"},
	{regexp.MustCompile(`^[0-7]{7}(?:\s+[0-7]{3,6})+\s*$`), "this is od in octal: paste the output of od -t x1"},
}

// fixOf returns what to paste in place of a text that decode cannot read, or "".
func fixOf(text []byte) string {
	for line := range bytes.Lines(text) {
		for _, u := range unreadable {
			if u.line.Match(bytes.TrimRight(line, "\r\n")) {
				return u.fix
			}
		}
	}
	return ""
}

// quoted is the prefix of a quoted line in a mail or an issue.
var quoted = regexp.MustCompile(`^(?:> ?)+`)

// unquoted returns a text without the quotes and the spaces before its lines, and without
// C's comments.
func unquoted(text []byte) []byte {
	var out []byte
	for line := range bytes.Lines(text) {
		line = quoted.ReplaceAll(line, nil)
		if bytes.Contains(line, []byte("0x")) || bytes.Contains(line, []byte("[]")) {
			line = comment.ReplaceAll(line, nil)
		}
		out = append(out, bytes.TrimLeft(line, " \t")...)
	}
	return out
}

var comment = regexp.MustCompile(`/\*.*?\*/`)

// formOf returns the form of a text, or nil.
func formOf(text []byte) *form {
	for line := range bytes.Lines(text) {
		line = bytes.TrimRight(line, "\r\n")
		if len(bytes.TrimSpace(line)) == 0 || line[0] == '#' {
			continue
		}
		for i, f := range forms {
			if f.line.Match(line) && (f.starts == nil || f.starts.Match(line)) {
				return &forms[i]
			}
		}
		if !packetHead.Match(line) {
			return nil
		}
	}
	return nil
}

// packetHead is a line before or between the bytes.
var packetHead = regexp.MustCompile(`^\d\d:\d\d:\d\d\.|^\d{4}-\d\d-\d\d |^\(gdb\)|^\s*(?:IP6?\b|[\da-f.:]+ > )` +
	// The first and the last line of an array of C.
	`|^[\w\s]+\[\d*\]\s*=\s*\{?\s*$|^\}\s*;?\s*$|^[\w\s]+_len = \d+;$`)

// parse reads the text. Each packet of a dump of packets is one chunk.
func (f *form) parse(text []byte) (chunks [][]byte, err error) {
	var last []byte // the last line's bytes, which * of hexdump repeats
	repeat := false
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		line = strings.TrimRight(line, "\r\n ")
		switch {
		case strings.TrimSpace(line) == "" || line[0] == '#' || packetHead.MatchString(line):
			continue
		case line == "*":
			repeat = true
			continue
		}
		m := f.line.FindStringSubmatch(line)
		if m == nil {
			return nil, fmt.Errorf("line %d: %.40q is not a line of %s, as the first one is", n, line, f.name)
		}
		b, err := f.bytes(m[2])
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		at, err := strconv.ParseUint(m[1], cmp.Or(f.base, 16), 64)
		hasOffset := err == nil && !strings.HasPrefix(f.name, "gdb")
		if len(chunks) == 0 || hasOffset && at == 0 || strings.HasPrefix(f.name, "a frame") {
			chunks = append(chunks, nil)
		}
		chunk := &chunks[len(chunks)-1]
		if repeat && hasOffset && len(last) > 0 {
			for len(*chunk) < int(min(at, longestFrame)) {
				*chunk = append(*chunk, last...)
			}
		}
		repeat, last = false, b
		*chunk = append(*chunk, b...)
	}
	if len(chunks) == 0 {
		return nil, errors.New("there are no bytes in it")
	}
	return chunks, nil
}

func hexBytes(s string) ([]byte, error) {
	return hex.DecodeString(strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == ':' || unicode.IsSpace(r) }), ""))
}

var arrayItem = regexp.MustCompile(`(0[xX][0-9a-fA-F]+|\d+)(?:\s*<repeats (\d+) times>)?`)

// arrayBytes reads 0x0, 0x17 <repeats 3 times>, 3.
func arrayBytes(s string) ([]byte, error) {
	var out []byte
	for _, m := range arrayItem.FindAllStringSubmatch(s, -1) {
		v, err := strconv.ParseUint(m[1], 0, 8)
		if err != nil {
			return nil, fmt.Errorf("%s is not a byte", m[1])
		}
		times := 1
		if m[2] != "" {
			if times, err = strconv.Atoi(m[2]); err != nil || times > longestFrame {
				return nil, fmt.Errorf("%s times is too often", m[2])
			}
		}
		out = append(out, bytes.Repeat([]byte{byte(v)}, times)...)
	}
	return out, nil
}

var escapeSequence = regexp.MustCompile(`(?s)\\(?:x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.)`)

// escapedBytes reads a string of C, Go, Python or gdb, with or without quotes.
func escapedBytes(s string) ([]byte, error) {
	if open := strings.IndexAny(s, `"'`); open >= 0 {
		if end := strings.LastIndexByte(s, s[open]); end > open {
			s = s[open+1 : end]
		}
	}
	simple := map[byte]byte{'n': '\n', 'r': '\r', 't': '\t', 'a': '\a', 'b': '\b', 'f': '\f', 'v': '\v', 'e': 0x1b}
	return escapeSequence.ReplaceAllFunc([]byte(s), func(seq []byte) []byte {
		switch c := seq[1]; {
		case c == 'x' && len(seq) > 2:
			v, _ := strconv.ParseUint(string(seq[2:]), 16, 8) // two digits fit
			return []byte{byte(v)}
		case c >= '0' && c <= '7':
			v, _ := strconv.ParseUint(string(seq[1:]), 8, 16)
			return []byte{byte(v)}
		case simple[c] != 0:
			return []byte{simple[c]}
		default:
			return []byte{c}
		}
	}), nil
}

// tcpPayload returns the payload of a TCP packet, if b is one: dumps of Wireshark and
// tcpdump begin with the headers of Ethernet and IP.
func tcpPayload(b []byte) ([]byte, bool) {
	for _, first := range []gopacket.LayerType{layers.LayerTypeEthernet, layers.LayerTypeIPv4, layers.LayerTypeIPv6, layers.LayerTypeLoopback} {
		pkt := gopacket.NewPacket(b, first, gopacket.DecodeOptions{NoCopy: true})
		if tcp, ok := pkt.Layer(layers.LayerTypeTCP).(*layers.TCP); ok && pkt.ErrorLayer() == nil {
			return tcp.Payload, true
		}
	}
	return nil, false
}

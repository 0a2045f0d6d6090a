package command

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

// form is one way in which people write bytes as text.
type form struct {
	name string
	// line matches a line of the form; its groups are an offset, which may be
	// missing, and the bytes.
	line *regexp.Regexp
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
	{name: "gdb's x/xb", line: regexp.MustCompile(`^\s*0x([0-9a-fA-F]+)(?: <[^>]*>)?:((?:\s+0x[0-9a-fA-F]{1,2})+)\s*$`), bytes: arrayBytes},
	{name: "an array of bytes", line: regexp.MustCompile(`^()[^{"]*?[{\[]?\s*((?:(?:0[xX][0-9a-fA-F]{1,2}|\d{1,3})(?:\s*<repeats \d+ times>)?\s*,?\s*)+)[}\]]?;?\s*,?\s*$`), bytes: arrayBytes,
		starts: regexp.MustCompile(`0[xX][0-9a-fA-F]{1,2}\s*[,<]`)},
	{name: `a string with escapes`, line: regexp.MustCompile(`^()(.*\\(?:x[0-9a-fA-F]|[0-7]).*)$`), bytes: escapedBytes},
	{name: "a frame between < and >, without its length", line: regexp.MustCompile(`^().*?<((?:[0-9a-fA-F]{2}\s*)+)>\s*$`), bytes: hexBytes},
	{name: plainHex, line: regexp.MustCompile(`^\s*()((?:[0-9a-fA-F]{2}\s*)+)$`), bytes: hexBytes},
}

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

// packetHead is a line of tcpdump or gdb before or between the bytes.
var packetHead = regexp.MustCompile(`^\d\d:\d\d:\d\d\.|^\d{4}-\d\d-\d\d |^\(gdb\)|^\s+(?:IP|[\d.]+)\b`)

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
		at, err := strconv.ParseUint(m[1], 16, 64)
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

func hexBytes(s string) ([]byte, error) { return hex.DecodeString(strings.Join(strings.Fields(s), "")) }

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

// tcpPayload returns what a TCP packet carries, if b is one: dumps of Wireshark and
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

package codec

import (
	"bytes"
	"net/http"
	"slices"
)

// DecodeHeadersBin reads what HAProxy's sample req.hdrs_bin gives: pairs of a
// name and a value, each a STRING without a type, ended by two empty ones.
// Repeated headers keep their order. Names are put into canonical form, as
// net/http has them. The end may be missing; anything behind it is refused.
func DecodeHeadersBin(b []byte) (http.Header, error) {
	h := make(http.Header)
	c := cursor{b: b}
	for c.more() {
		at := c.off
		name, value := c.str("header name"), c.str("header value")
		switch {
		case c.failed():
			return nil, c.error()
		case len(name) == 0 && len(value) == 0:
			if c.more() {
				c.fail(c.off, "bytes behind the end of the headers")
				return nil, c.error()
			}
			return h, nil
		case len(name) == 0:
			c.fail(at, "header without a name")
			return nil, c.error()
		}
		h.Add(string(name), string(value))
	}
	return h, nil
}

// DecodeHeaders reads what HAProxy's sample req.hdrs gives: header lines as in
// HTTP/1, each ended by CR LF, then an empty line, which may be missing. A
// line without a colon, one that continues another, and one with a space in
// its name are refused.
func DecodeHeaders(b []byte) (http.Header, error) {
	h := make(http.Header)
	for at := 0; at < len(b); {
		line, rest, _ := bytes.Cut(b[at:], []byte("\n"))
		line = bytes.TrimSuffix(line, []byte("\r"))
		next := len(b) - len(rest)
		if len(line) == 0 {
			if next != len(b) {
				return nil, &Error{StatusInvalid, next, "bytes behind the end of the headers"}
			}
			break
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok || len(name) == 0 || bytes.ContainsAny(name, " \t\r\x00") {
			return nil, &Error{StatusInvalid, at, "no header line"}
		}
		h.Add(string(name), string(bytes.Trim(value, " \t")))
		at = next
	}
	return h, nil
}

// AppendHeadersBin appends h in the form of req.hdrs_bin, which HAProxy 3.4's
// set-headers-bin, add-headers-bin and del-headers-bin read from a variable.
// Names come in alphabetical order, values in theirs.
func AppendHeadersBin(b []byte, h http.Header) []byte {
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range h[name] {
			b = AppendString(AppendString(b, name), value)
		}
	}
	return append(b, 0, 0)
}

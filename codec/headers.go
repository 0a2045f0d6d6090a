package codec

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
)

// DecodeHeadersBin reads what HAProxy's sample req.hdrs_bin gives: pairs of a
// name and a value, each a STRING without a type, ended by two empty ones.
// Repeated headers keep their order. Names are put into canonical form, as
// net/http has them. The end may be missing. Refused are bytes behind the end,
// and what no header can hold: an empty name, white space or a colon in one, a
// line break or a NUL in a value. The result borrows nothing from b.
func DecodeHeadersBin(b []byte) (http.Header, error) {
	h := make(http.Header)
	c := cursor{b: bytes.Clone(b)} // once; names and values are parts of it
	for c.more() {
		at := c.off
		name, value := c.str("header name"), c.str("header value")
		if c.failed() {
			break
		}
		if len(name) == 0 && len(value) == 0 {
			c.end("headers")
			break
		}
		if c.header(at, name, value) {
			h.Add(borrow(name), borrow(value))
		}
	}
	if c.failed() {
		return nil, c.error()
	}
	return h, nil
}

// DecodeHeadersText reads what HAProxy's sample req.hdrs gives: header lines as in
// HTTP/1, each ended by CR LF, then an empty line, which may be missing. A line
// without a colon, one that continues another, and what DecodeHeadersBin
// refuses is refused. The result borrows nothing from b.
func DecodeHeadersText(b []byte) (http.Header, error) {
	h := make(http.Header)
	c := cursor{b: bytes.Clone(b)}
	for c.more() {
		at := c.off
		line := c.line()
		if len(line) == 0 {
			c.end("headers")
			break
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			c.fail(at, "header line without a colon")
			break
		}
		if value = bytes.Trim(value, " \t"); c.header(at, name, value) {
			h.Add(borrow(name), borrow(value))
		}
	}
	if c.failed() {
		return nil, c.error()
	}
	return h, nil
}

// header tells whether a name and a value can be a header's; it fails if not.
func (c *cursor) header(at int, name, value []byte) bool {
	if wrong := badHeader(borrow(name), borrow(value)); wrong != "" {
		c.fail(at, "header %s", wrong)
	}
	return !c.failed()
}

// badHeader says why name and value cannot be a header's, or nothing.
func badHeader(name, value string) string {
	switch {
	case name == "":
		return "without a name"
	case strings.ContainsAny(name, " \t\r\n\x00:"):
		return "with white space or a colon in its name"
	case strings.ContainsAny(value, "\r\n\x00"):
		return "with a line break or a NUL in its value"
	}
	return ""
}

// end fails if anything is left.
func (c *cursor) end(what string) {
	if c.more() {
		c.fail(c.off, "bytes behind the end of the %s", what)
	}
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

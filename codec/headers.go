package codec

import (
	"bytes"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// DecodeHeadersBin reads the BINARY of HAProxy's sample req.hdrs_bin: pairs of a name
// and a value, each a STRING without a type, ended by two empty ones. Repeated headers
// keep their order. Names get their canonical form, as in net/http. The end may be
// missing.
//
// It is strict: it refuses bytes after the end, an empty name, white space or a colon
// in a name, a line break or a NUL in a value. HAProxy can be configured to let such
// headers pass, and 2.6 lets a NUL pass, so a struct's field of type http.Header is
// lenient. The result shares no memory with b.
func DecodeHeadersBin(b []byte) (http.Header, error) {
	h, err := readHeadersBin(b)
	return strictly(h, err)
}

// DecodeHeadersText reads the STRING of HAProxy's sample req.hdrs: header lines as in
// HTTP/1, each ended by CR LF, then an empty line, which may be missing. It is strict:
// it refuses a line without a colon, one that continues another, and everything that
// DecodeHeadersBin refuses. The result shares no memory with b.
func DecodeHeadersText(b []byte) (http.Header, error) {
	h, err := readHeadersText(b)
	return strictly(h, err)
}

func strictly(h http.Header, err *Error) (http.Header, error) {
	if err != nil {
		return nil, err
	}
	return h, nil
}

// readHeadersBin reads all headers that can be read, unchanged. err is the first reason
// for which DecodeHeadersBin would refuse them.
func readHeadersBin(b []byte) (h http.Header, err *Error) {
	h = make(http.Header)
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
		err = firstOf(err, addHeader(h, at, name, value))
	}
	return h, firstOf(err, c.err)
}

// readHeadersText reads all headers that can be read, and skips a line without a colon.
func readHeadersText(b []byte) (h http.Header, err *Error) {
	h = make(http.Header)
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
			err = firstOf(err, headerError(at, "header line without a colon"))
			continue
		}
		err = firstOf(err, addHeader(h, at, name, bytes.Trim(value, " \t")))
	}
	return h, firstOf(err, c.err)
}

// addHeader adds a header unchanged. It returns an error if no header can have that
// form.
func addHeader(h http.Header, at int, name, value []byte) *Error {
	h.Add(borrow(name), borrow(value))
	if wrong := badHeader(borrow(name), borrow(value)); wrong != "" {
		return headerError(at, "header "+wrong)
	}
	return nil
}

func headerError(at int, reason string) *Error {
	return &Error{Status: StatusInvalid, Offset: at, Reason: reason}
}

func firstOf(err, next *Error) *Error {
	if err != nil {
		return err
	}
	return next
}

// setHeader keeps all headers that can be read, with the bytes that came.
func setHeader(p pointer, v Value) error {
	var err *Error
	switch h := as[http.Header](p); v.typ {
	case TypeString:
		*h, err = readHeadersText(v.Bytes())
	case TypeBinary:
		*h, err = readHeadersBin(v.Bytes())
	default:
		return errType
	}
	if err == nil {
		return nil
	}
	// No *Error: the frame is sound, the sample is not.
	wrong := detail(err.Reason + " at byte " + strconv.Itoa(err.Offset))
	if len(*as[http.Header](p)) == 0 {
		return wrong
	}
	return partError{wrong}
}

// badHeader returns why name and value cannot be a header's, or "".
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
		c.fail(c.off, "bytes after the end of the %s", what)
	}
}

// AppendHeadersBin appends h in the form of req.hdrs_bin, which HAProxy 3.4's
// set-headers-bin, add-headers-bin and del-headers-bin read from a variable. Names are
// in alphabetical order, and the values of a name in their own order.
func AppendHeadersBin(b []byte, h http.Header) []byte {
	names := slices.AppendSeq(make([]string, 0, len(h)), maps.Keys(h))
	slices.Sort(names)
	for _, name := range names {
		for _, value := range h[name] {
			b = AppendString(AppendString(b, name), value)
		}
	}
	return append(b, 0, 0)
}

package codec

import (
	"iter"
	"strings"
)

// HeaderBlock holds the headers of HAProxy's sample req.hdrs_bin in their order, with
// the case of their names and with repeated headers; http.Header loses all three. A
// struct's field of this type takes a BINARY, and reading it allocates nothing more.
type HeaderBlock struct {
	block string // as it came; the decoder writes here
}

// NewHeaderBlock returns the block in b, which it copies.
func NewHeaderBlock(b []byte) HeaderBlock { return HeaderBlock{string(b)} }

// All returns the headers as names and values, as they came. It ends at an empty name
// and value, at the end of the block, or at the first byte that it cannot read. The
// texts stay valid.
func (h HeaderBlock) All() iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for c := h.cursor(); c.more(); {
			name, value := c.str("header name"), c.str("header value")
			if c.failed() || len(name) == 0 && len(value) == 0 || !yield(borrow(name), borrow(value)) {
				return
			}
		}
	}
}

// Get returns the value of the first header of that name, whatever its case, and
// whether there is one.
func (h HeaderBlock) Get(name string) (value string, ok bool) {
	for n, v := range h.All() {
		if strings.EqualFold(n, name) {
			return v, true
		}
	}
	return "", false
}

// Err returns why DecodeHeadersBin would refuse the block, or nil.
func (h HeaderBlock) Err() error {
	_, err := DecodeHeadersBin(h.cursor().b)
	return err
}

func (h HeaderBlock) cursor() cursor { return cursor{b: unsafeBytes(h.block)} }

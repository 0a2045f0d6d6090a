package iplist

import (
	"bytes"
	"errors"
	"net/netip"
)

var (
	errColumns = errors.New("text after the address, neither '#' nor ';' before it")
	errNUL     = errors.New("NUL byte")
)

// parseLine reads one line without its line end. It returns the zero Prefix for a line
// without an entry: blank, comment, metadata.
func parseLine(line []byte) (netip.Prefix, error) {
	if bytes.IndexByte(line, 0) >= 0 {
		return netip.Prefix{}, errNUL
	}
	line = bytes.TrimSpace(line)
	if len(line) > 0 && line[0] == '{' {
		return parseJSON(line) // before comments: a string in it may hold a '#'
	}
	if i := bytes.IndexAny(line, "#;"); i >= 0 {
		line = bytes.TrimSpace(line[:i])
	}
	if len(line) == 0 {
		return netip.Prefix{}, nil
	}
	word, rest := cutWord(line)
	if isTorMetadata(word) {
		return netip.Prefix{}, nil
	}
	if string(word) == torAddress {
		word, _ = cutWord(rest) // a date follows
		return ParsePrefix(string(word))
	}
	p, err := ParsePrefix(string(word))
	if err != nil {
		return netip.Prefix{}, err
	}
	if len(rest) > 0 {
		// A second column may be a count, but also the end of a range: guessing
		// wrong would list one address of 256 and look like success.
		return netip.Prefix{}, errColumns
	}
	return p, nil
}

// cutWord splits a trimmed line after its first word.
func cutWord(line []byte) (word, rest []byte) {
	i := bytes.IndexAny(line, " \t")
	if i < 0 {
		return line, nil
	}
	return line[:i], bytes.TrimSpace(line[i:])
}

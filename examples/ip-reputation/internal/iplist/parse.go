package iplist

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
)

// Parse reads a list. The file's name is only for reports. If the error is not nil, do
// not use the list; it may still name bad lines.
func Parse(file string, r io.Reader) (*List, error) {
	list := &List{}
	in, err := newLines(file, r)
	if err != nil {
		return list, err
	}
	for {
		line, err := in.next()
		if errors.Is(err, io.EOF) {
			return list, judge(file, list)
		}
		var prefix netip.Prefix
		if err == nil {
			prefix, err = parseLine(line)
		}
		if err == nil {
			if prefix.IsValid() {
				list.add(prefix)
			}
			continue
		}
		var fatal *Error
		switch {
		case errors.As(err, &fatal):
			return list, fatal
		case errors.Is(err, errNUL):
			return list, &Error{
				File:   file,
				Reason: fmt.Sprintf("is a binary file (NUL byte in line %d)", in.number),
				Advice: "point to a text file with one address or CIDR a line",
			}
		}
		list.reject(Problem{File: file, Line: in.number, Text: excerpt(line), Reason: err.Error()})
	}
}

// judge refuses a list that is empty, or of which more than half is garbage.
func judge(file string, list *List) error {
	good := len(list.Prefixes)
	switch {
	case good == 0 && list.Bad == 0:
		return &Error{
			File:   file,
			Reason: "is empty (no address in it)",
			Advice: "fill it, or take the list out of the flags if that is meant",
		}
	case list.Bad > good:
		return &Error{
			File: file,
			Reason: fmt.Sprintf("does not look like an IP list (%d of %d lines are no address, the first is line %d: %q)",
				list.Bad, list.Bad+good, list.Problems[0].Line, list.Problems[0].Text),
			Advice: "point to a file with one address or CIDR a line",
		}
	}
	return nil
}

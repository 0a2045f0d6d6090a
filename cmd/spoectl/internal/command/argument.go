package command

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

const argumentHelp = `An argument is name=value, and its type is guessed: null, true and false, a whole
number (INT64, as HAProxy sends all of its own), an IP address, @file for a file's
bytes (BINARY, as req.body is), otherwise a STRING. name:type=value says the type:
string, bin, hex, bool, int (int64), int32, uint32, uint64, ip, null; string, bin
and hex take @file as well, and @@ for a value that begins with @. hdrs and hdrs_bin
take header lines, mostly from a file, and send them as HAProxy's samples req.hdrs
and req.hdrs_bin do. =value has no name, as HAProxy's "args src" sends it.`

// parseArgument reads name=value or name:type=value.
func parseArgument(s string) (spoetest.Argument, error) {
	name, text, found := strings.Cut(s, "=")
	if !found {
		return spoetest.Argument{}, fmt.Errorf("argument %q is not name=value", s)
	}
	name, typ := name, ""
	if i := strings.LastIndexByte(name, ':'); i >= 0 {
		name, typ = name[:i], name[i+1:]
		if typ == "" {
			return spoetest.Argument{}, fmt.Errorf("argument %q has no type behind its colon", s)
		}
	}
	v, err := parseValue(typ, text)
	if err != nil {
		return spoetest.Argument{}, fmt.Errorf("argument %q: %w", s, err)
	}
	return spoetest.Arg(name, v), nil
}

func parseArguments(words []string) ([]spoetest.Argument, error) {
	args := make([]spoetest.Argument, len(words))
	for i, w := range words {
		var err error
		if args[i], err = parseArgument(w); err != nil {
			return nil, err
		}
	}
	if len(args) > codec.MaxArgs {
		return nil, fmt.Errorf("%d arguments, a message has %d at most", len(args), codec.MaxArgs)
	}
	return args, nil
}

func parseValue(typ, text string) (codec.Value, error) {
	switch typ {
	case "":
		return guess(text)
	case "null":
		if text != "" && text != "null" {
			return codec.Null(), fmt.Errorf("null has no value, %q is one", text)
		}
		return codec.Null(), nil
	case "string", "str", "bin", "binary", "hex":
		return parseBytes(typ, text)
	case "hdrs", "hdrs_bin":
		return parseHeaders(typ, text)
	case "bool":
		b, err := strconv.ParseBool(text)
		return codec.Bool(b), number(err, text, "bool: write true or false")
	case "int", "int64":
		n, err := strconv.ParseInt(text, 0, 64)
		return codec.Int64(n), number(err, text, "int64")
	case "int32":
		n, err := strconv.ParseInt(text, 0, 32)
		return codec.Int32(int32(n)), number(err, text, "int32")
	case "uint32":
		n, err := strconv.ParseUint(text, 0, 32)
		return codec.Uint32(uint32(n)), number(err, text, "uint32")
	case "uint", "uint64":
		n, err := strconv.ParseUint(text, 0, 64)
		return codec.Uint64(n), number(err, text, "uint64")
	case "ip", "ipv4", "ipv6":
		a, err := netip.ParseAddr(text)
		if err != nil || typ == "ipv4" && !a.Is4() || typ == "ipv6" && !a.Is6() {
			return codec.Null(), fmt.Errorf("%q is no %s address", text, typ)
		}
		return codec.Addr(a), nil
	}
	return codec.Null(), fmt.Errorf("there is no type %q; there are string, bin, hex, hdrs, hdrs_bin, bool, int, int32, uint32, uint64, ip and null", typ)
}

func number(err error, text, kind string) error {
	if errors.Is(err, strconv.ErrRange) {
		return fmt.Errorf("%s does not fit into %s", text, kind)
	}
	if err != nil {
		return fmt.Errorf("%q is no %s", text, kind)
	}
	return nil
}

func parseBytes(typ, text string) (codec.Value, error) {
	b, err := content(text)
	if err != nil {
		return codec.Null(), err
	}
	switch typ {
	case "string", "str":
		return codec.String(string(b)), nil
	case "hex":
		if b, err = hex.DecodeString(strings.Join(strings.Fields(string(b)), "")); err != nil {
			return codec.Null(), err
		}
	}
	return codec.Binary(b), nil
}

// parseHeaders reads header lines, ended by LF or CR LF, and keeps their order.
func parseHeaders(typ, text string) (codec.Value, error) {
	b, err := content(text)
	if err != nil {
		return codec.Null(), err
	}
	var asText, asBin []byte
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimRight(line, "\r\n"); line == "" {
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || name == "" {
			return codec.Null(), fmt.Errorf("header line %.40q is not Name: value", line)
		}
		name, value = strings.ToLower(name), strings.Trim(value, " \t") // as HAProxy has it
		asText = append(asText, name+": "+value+"\r\n"...)
		asBin = codec.AppendString(codec.AppendString(asBin, name), value)
	}
	if typ == "hdrs" {
		return codec.String(string(asText) + "\r\n"), nil
	}
	return codec.Binary(append(asBin, 0, 0)), nil
}

// content returns text, or the content of the file after @.
func content(text string) ([]byte, error) {
	name, isFile := strings.CutPrefix(text, "@")
	if !isFile || strings.HasPrefix(name, "@") {
		return []byte(name), nil
	}
	return os.ReadFile(name)
}

func guess(text string) (codec.Value, error) {
	switch text {
	case "null":
		return codec.Null(), nil
	case "true", "false":
		return codec.Bool(text == "true"), nil
	}
	if strings.HasPrefix(text, "@@") {
		return codec.String(text[1:]), nil
	}
	if strings.HasPrefix(text, "@") {
		return parseBytes("bin", text)
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return codec.Int64(n), nil
	}
	if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		return codec.Uint64(n), nil
	}
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
		return codec.Addr(a), nil
	}
	return codec.String(text), nil
}

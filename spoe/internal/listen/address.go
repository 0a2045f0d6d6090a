package listen

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"syscall"
)

// ParseAddr is spoe.ParseAddr.
func ParseAddr(addr string) (network, address string, err error) {
	kind, rest := cutKind(addr)
	switch kind {
	case "unix":
		if rest == "" {
			return "", "", fmt.Errorf("spoe: address %q has no path; write unix:/path or unix:@name", addr)
		}
		if strings.HasPrefix(rest, "@") {
			return abstract(addr, rest[1:], true)
		}
		return "unix", rest, nil
	case "abns":
		return abstract(addr, rest, true)
	case "abnsz":
		return abstract(addr, rest, false)
	case "fd":
		if _, err := strconv.ParseUint(rest, 10, 31); err != nil {
			return "", "", fmt.Errorf("spoe: address %q: %q is no file descriptor; write fd:3", addr, rest)
		}
		return "fd", rest, nil
	case "ipv4":
		network = "tcp4"
	case "ipv6":
		network = "tcp6"
	default:
		network = "tcp"
	}
	address, err = hostPort(rest)
	if err != nil {
		return "", "", fmt.Errorf("spoe: address %q: %w", addr, err)
	}
	return network, address, nil
}

// cutKind takes the kind of an address off its front.
func cutKind(addr string) (kind, rest string) {
	for _, k := range []string{"unix@", "unix:", "abnsz@", "abns@", "fd@", "fd:", "ipv4@", "ipv6@"} {
		if rest, ok := strings.CutPrefix(addr, k); ok {
			return k[:len(k)-1], rest
		}
	}
	if strings.HasPrefix(addr, "/") {
		return "unix", addr
	}
	return "", addr
}

// hostPort makes net's form of an address and a port. HAProxy takes an IPv6
// address without brackets, and * for every address.
func hostPort(s string) (string, error) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return "", errors.New("the port is missing; write host:port, such as 127.0.0.1:9000")
	}
	host, port := s[:i], s[i+1:]
	if host == "*" {
		host = ""
	}
	if strings.Contains(host, ":") && !strings.HasPrefix(host, "[") {
		host = "[" + host + "]"
	}
	if n, err := strconv.ParseUint(port, 10, 16); port == "" || err != nil && isDigits(port) || err == nil && n > 65535 {
		return "", fmt.Errorf("%q is no port; a port is a number up to 65535", port)
	}
	return host + ":" + port, nil
}

func isDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// abstract returns the name of an abstract socket in Go's form, an @ in front. HAProxy's
// abns fills the name up with NULs to the length of a socket address; abnsz does not.
func abstract(addr, name string, fill bool) (network, address string, err error) {
	room := len(syscall.RawSockaddrUnix{}.Path) - 1
	switch {
	case name == "":
		return "", "", fmt.Errorf("spoe: address %q has no name behind the @", addr)
	case len(name) > room:
		return "", "", fmt.Errorf("spoe: address %q: the name has %d bytes; the longest has %d", addr, len(name), room)
	case fill:
		name += strings.Repeat("\x00", room-len(name))
	}
	return "unix", "@" + name, nil
}

package listen

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"syscall"
)

// maxPath is the length of the longest path of a unix socket, in bytes.
const maxPath = len(syscall.RawSockaddrUnix{}.Path) - 1

// ParseAddr is spoe.ParseAddr.
func ParseAddr(addr string) (network, address string, err error) {
	kind, rest := cutKind(strings.TrimPrefix(addr, "stream+"))
	switch kind {
	case "unix", "uxst":
		if strings.HasPrefix(rest, "@") {
			return abstract(addr, rest[1:], true)
		}
		switch {
		case rest == "":
			return "", "", fmt.Errorf("spoe: address %q has no path; write unix:/path or unix:@name", addr)
		case len(rest) > maxPath:
			return "", "", fmt.Errorf("spoe: address %q: the path has %d bytes; the longest has %d", addr, len(rest), maxPath)
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
	case "", "ip", "tcp", "mptcp":
		network = "tcp"
	case "ipv4", "tcp4", "mptcp4":
		network = "tcp4"
	case "ipv6", "tcp6", "mptcp6":
		network = "tcp6"
	default:
		return "", "", fmt.Errorf("spoe: address %q: SPOP has no %s addresses; write 127.0.0.1:9000, unix@/path, abns@name or fd@3", addr, kind)
	}
	address, err = hostPort(rest)
	if err != nil {
		return "", "", fmt.Errorf("spoe: address %q: %w", addr, err)
	}
	return network, address, nil
}

// cutKind takes the kind of an address off its front.
func cutKind(addr string) (kind, rest string) {
	for _, k := range []string{"unix", "fd"} {
		if rest, ok := strings.CutPrefix(addr, k+":"); ok {
			return k, rest
		}
	}
	if strings.HasPrefix(addr, "/") {
		return "unix", addr
	}
	if kind, rest, ok := strings.Cut(addr, "@"); ok {
		return kind, rest
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
	if _, err := strconv.ParseUint(port, 10, 16); err != nil && !isName(port) {
		return "", fmt.Errorf("%q is no port; a port is a number up to 65535", port)
	}
	return host + ":" + port, nil
}

// isName reports whether a port may be the name of a service.
func isName(port string) bool { return port != "" && 'a' <= port[0]|0x20 && port[0]|0x20 <= 'z' }

// abstract returns the name of an abstract socket in Go's form, an @ in front. HAProxy's
// abns fills the name up with NULs to the length of a socket address; abnsz does not.
func abstract(addr, name string, fill bool) (network, address string, err error) {
	switch {
	case name == "":
		return "", "", fmt.Errorf("spoe: address %q has no name behind the @", addr)
	case len(name) > maxPath:
		return "", "", fmt.Errorf("spoe: address %q: the name has %d bytes; the longest has %d", addr, len(name), maxPath)
	case fill:
		name += strings.Repeat("\x00", maxPath-len(name))
	}
	return "unix", "@" + name, nil
}

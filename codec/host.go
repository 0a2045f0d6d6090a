package codec

import (
	"net/netip"
	"strconv"
	"strings"
)

// A Host is a Host header, or the authority of a Target, in the one form that rules and
// tables should compare.
type Host struct {
	Name string // in lower case, without a dot at its end: "example.com", "192.0.2.1", "[2001:db8::1]"
	Port string // digits, or empty
}

// ParseHost reads a name, an IPv4 address or an IPv6 address in brackets, with or without a
// port. For every other text it returns the zero Host and an error: also for a text that
// programs read in different ways, such as "example.com@other".
func ParseHost(text string) (Host, error) {
	name, port := text, ""
	if i := strings.LastIndexByte(text, ':'); i > strings.LastIndexByte(text, ']') {
		name, port = text[:i], text[i+1:]
	}
	if port != "" {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil || !isDigit(port) {
			return Host{}, detail("a host with a wrong port")
		}
	}
	if inside, ok := strings.CutPrefix(name, "["); ok {
		addr, err := netip.ParseAddr(strings.TrimSuffix(inside, "]"))
		if err != nil || !addr.Is6() || addr.Zone() != "" || !strings.HasSuffix(inside, "]") {
			return Host{}, detail("a host with a wrong IPv6 address")
		}
		return Host{Name: "[" + addr.String() + "]", Port: port}, nil
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if name == "" || strings.ContainsFunc(name, isOutsideHost) {
		return Host{}, detail("a host that is no name and no address")
	}
	return Host{Name: name, Port: port}, nil
}

// String returns the host as in a URL: "example.com:8443".
func (h Host) String() string {
	if h.Port == "" {
		return h.Name
	}
	return h.Name + ":" + h.Port
}

// UnmarshalText reads the host as ParseHost does, so that a struct's field of type Host
// takes the sample req.fhdr(host).
func (h *Host) UnmarshalText(text []byte) (err error) {
	*h, err = ParseHost(string(text))
	return err
}

// isOutsideHost reports whether no name of a host has the character.
func isOutsideHost(r rune) bool {
	return !('a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '.' || r == '-' || r == '_')
}

func isDigit(s string) bool { return strings.Trim(s, "0123456789") == "" }

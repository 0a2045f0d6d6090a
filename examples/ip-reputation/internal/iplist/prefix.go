package iplist

import (
	"errors"
	"net/netip"
	"strings"
)

// The reasons why an entry is left out.
var (
	errNotAddress = errors.New("neither an address nor a CIDR")
	errBits       = errors.New("bad prefix length")
	errZone       = errors.New("address with a zone")
	errEverything = errors.New("covers every address, which no published list means")
	errMapped     = errors.New("IPv4-mapped prefix shorter than /96")
)

// mappedBits is the number of bits before an IPv4 address in its IPv4-mapped form.
const mappedBits = 96

// ParsePrefix reads an address or a CIDR, IPv4 or IPv6. It clears host bits, and
// IPv4-mapped IPv6 becomes IPv4. A prefix of length 0 is an error: 0.0.0.0/0 in a list
// is a mistake that would take a whole site down.
func ParsePrefix(s string) (netip.Prefix, error) {
	prefix, err := parseEither(s)
	if err != nil {
		return netip.Prefix{}, err
	}
	addr, bits := prefix.Addr(), prefix.Bits()
	if addr.Is4In6() {
		if bits < mappedBits {
			return netip.Prefix{}, errMapped
		}
		addr, bits = addr.Unmap(), bits-mappedBits
	}
	if bits == 0 {
		return netip.Prefix{}, errEverything
	}
	return netip.PrefixFrom(addr, bits).Masked(), nil
}

// parseEither reads a CIDR, or an address as the prefix with only that address.
func parseEither(s string) (netip.Prefix, error) {
	text, _, isCIDR := strings.Cut(s, "/")
	if isCIDR {
		if p, err := netip.ParsePrefix(s); err == nil {
			return p, nil
		}
	}
	addr, err := netip.ParseAddr(text)
	switch {
	case err != nil:
		return netip.Prefix{}, errNotAddress
	case addr.Zone() != "":
		return netip.Prefix{}, errZone
	case isCIDR:
		return netip.Prefix{}, errBits
	}
	return netip.PrefixFrom(addr, addr.BitLen()), nil
}

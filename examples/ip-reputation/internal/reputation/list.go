package reputation

import "net/netip"

const (
	// Listed is the worst score.
	Listed = 0
	// Clean is the best score, of an address on no list or on an allow list.
	Clean = 100
)

// List is a list's settings, which apply to the addresses on it.
type List struct {
	Name  string
	Score int // from Listed to Clean; an allow list's is Clean
	Allow bool
}

// Entries are the prefixes of a list, masked, IPv4-mapped ones as IPv4. One
// list may come as several Entries with the same List.
type Entries struct {
	List     List
	Prefixes []netip.Prefix
}

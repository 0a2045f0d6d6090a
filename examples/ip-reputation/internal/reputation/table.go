package reputation

import (
	"cmp"
	"math"
	"net/netip"
	"slices"

	"github.com/gaissmai/bart"
)

// MaxEntries is the maximum number of Entries in a table.
const MaxEntries = math.MaxUint16

// Table finds the list of an address. The zero Table is empty.
type Table struct {
	lists []List

	// The tables hold indices into lists, a quarter of a pointer's size. Allow
	// lists have their own: they win however narrow the others' prefixes are.
	allow, deny bart.Table[uint16]
}

// Build makes a table. It does not keep or change the entries or their prefixes. It
// panics on more than MaxEntries.
func Build(entries []Entries) *Table {
	if len(entries) > MaxEntries {
		panic("reputation: more than 65535 lists")
	}
	t := &Table{lists: make([]List, len(entries))}
	for i, e := range entries {
		t.lists[i] = e.List
	}
	// A later insert of the same prefix replaces the earlier one, so the list that must
	// win comes last.
	order := make([]int, len(entries))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(t.lists[b].Score, t.lists[a].Score), cmp.Compare(b, a))
	})
	for _, i := range order {
		table := &t.deny
		if t.lists[i].Allow {
			table = &t.allow
		}
		for _, p := range entries[i].Prefixes {
			table.Insert(p, uint16(i))
		}
	}
	return t
}

// Lookup returns the list that decides about an address, or nil if it is on
// none. An IPv4-mapped IPv6 address is looked up as IPv4, and a zone does not
// matter. The list is the table's own: read it, keep it, do not change it.
func (t *Table) Lookup(addr netip.Addr) *List {
	addr = addr.Unmap()
	i, ok := t.allow.Lookup(addr)
	if !ok {
		i, ok = t.deny.Lookup(addr)
	}
	if !ok {
		return nil
	}
	return &t.lists[i]
}

// Size is the number of different prefixes.
func (t *Table) Size() int { return t.allow.Size() + t.deny.Size() }

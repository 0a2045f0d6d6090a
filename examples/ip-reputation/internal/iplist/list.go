package iplist

import "net/netip"

// MaxProblems is the maximum number of a list's bad lines that are kept word for word.
// Others are only counted: ten thousand lines with the same mistake need no ten
// thousand lines in a log.
const MaxProblems = 5

// List is the content of a file.
type List struct {
	// Prefixes holds the entries in the order of the file, masked, IPv4-mapped ones as
	// IPv4. A repeated entry is here repeatedly, too.
	Prefixes []netip.Prefix

	// Bad is the number of lines that were left out.
	Bad int

	// Problems are the first MaxProblems of them.
	Problems []Problem
}

// add keeps an entry.
func (l *List) add(p netip.Prefix) { l.Prefixes = append(l.Prefixes, p) }

// reject counts a bad line and keeps it while there is space.
func (l *List) reject(p Problem) {
	l.Bad++
	if len(l.Problems) < MaxProblems {
		l.Problems = append(l.Problems, p)
	}
}

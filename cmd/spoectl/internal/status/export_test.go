package status

import "slices"

// Known are all numbers that St or Disconnect knows, st= first.
func Known() (st, disconnects []int) {
	for n := range filter {
		st = append(st, n)
	}
	for n := range errors {
		st = append(st, spop+n)
	}
	for n := range disconnect {
		disconnects = append(disconnects, n)
	}
	slices.Sort(st)
	slices.Sort(disconnects)
	return st, disconnects
}

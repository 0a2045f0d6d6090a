// Package reputation finds the list that an address is on.
//
// A [Table] is built from any number of named lists and never changes: for a new list,
// build a new table and swap the pointer. Any number of goroutines may look addresses
// up in it.
//
// Scores are those of HAProxy's SPOE.txt: 100 is safe, 0 is certainly bad. An address
// on no list is [Clean]. If several lists have it,
//
//  1. an allow list wins over all others, however wide its prefix and however
//     narrow theirs,
//  2. otherwise the longest prefix wins: a list that names 192.0.2.7 knows more
//     about it than one that names 192.0.2.0/24,
//  3. of lists with the same prefix the worst score wins,
//  4. of lists with the same score the first one wins.
package reputation

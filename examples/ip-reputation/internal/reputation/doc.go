// Package reputation answers which list an address is on.
//
// A [Table] is built from any number of named lists and never changes: to take
// in a new list, build a new one and swap the pointer. Any number of goroutines
// may look addresses up in it.
//
// Scores are those of HAProxy's SPOE.txt: 100 is totally safe, 0 is listed with
// no doubt. An address that no list holds is [Clean]. Where more than one list
// holds it,
//
//  1. an allow list wins over all others, however wide its prefix and however
//     narrow theirs,
//  2. otherwise the longest prefix wins: a list that names 192.0.2.7 knows more
//     about it than one that names 192.0.2.0/24,
//  3. of lists with the same prefix the worst score wins,
//  4. of those with the same score, the one that was given first.
package reputation

// Package feed keeps a reputation table up to date with its files.
//
// Life cycle: fill in a [Set], call Load once, then Watch in a separate goroutine until its
// context ends. After Load returns, any number of goroutines may call Lookup and Table.
// They see either the table before a change or the one after it, and never wait.
//
// Watch looks at every file each Set.Poll: its time, size and identity, through symbolic
// links. That works on every file system and however the file is changed: written over,
// renamed into place, or swapped by Kubernetes behind a ConfigMap's link. Watch loads a
// change after two looks with the same result, so it does not load a file that is still
// being written. If a file changes while it is read, Watch reads it again later.
//
// A file that is broken (see package iplist) or missing costs only a line in the log: the
// last good list stays, the other lists are still updated, and the log reports when the
// file is good again.
package feed

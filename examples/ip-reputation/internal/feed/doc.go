// Package feed keeps a reputation table up to date with the files that it is
// made of.
//
// Life cycle: fill in a [Set], call Load once, then Watch in a goroutine of its
// own until its context ends. Lookup and Table may be called from any number of
// goroutines from Load's return on; they see either the table before a change or
// the one after it, never something between, and never wait.
//
// Watch looks at every file each Set.Poll: its time, size and identity, through symbolic
// links. That works on every file system and however the file is changed: written over,
// renamed into place, or swapped by Kubernetes behind a ConfigMap's link. A change is
// taken in when it has stayed the same for two looks, so that a file that is still being
// written is left alone. If a file changes while it is read, it is read again later.
//
// A file that has gone wrong (see package iplist) or missing costs nothing but a
// line in the log: its list stays as it last was good, the other lists go on
// being updated, and the log says when it is good again.
package feed

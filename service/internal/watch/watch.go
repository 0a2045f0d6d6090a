// Package watch reports changes of files.
package watch

import (
	"io/fs"
	"os"
	"time"
)

// Files are files that a program read, and their state at that time: time, size and
// identity of the file at the end of symbolic links. That works on every file system
// and for every way of changing a file: written over, renamed into place, or swapped by
// Kubernetes at the end of a ConfigMap's link. Events of the kernel miss some of these.
// Only one goroutine at a time may use Files.
//
// A change while the program reads is not lost: call Begin before the first file is
// read, and Know before each file whose path is known.
type Files struct {
	began time.Time
	read  stamps // when the program read them
	seen  stamps // at the last look
}

// stamps describe files by their path; nil is a file that cannot be seen.
type stamps map[string]fs.FileInfo

// Begin notes that the program now begins to read its files.
func (f *Files) Begin() { f.began = time.Now() }

// Know remembers the files at paths that it does not know yet. A file that was written
// since Begin counts as changed: the program may have read only a part of it.
func (f *Files) Know(paths ...string) {
	if f.read == nil {
		f.read = make(stamps)
	}
	for path, info := range look(paths) {
		if _, known := f.read[path]; known {
			continue
		}
		if info != nil && info.ModTime().After(f.began) {
			info = nil
		}
		f.read[path] = info
	}
}

// Changed looks at the files at paths and reports whether the program should read them
// again. A change counts, once, after two looks with the same result, so a file that is
// still being written does not count yet.
func (f *Files) Changed(paths []string) bool {
	f.Know(paths...)
	now := look(paths)
	quiet := same(now, f.seen)
	f.seen = now
	if !quiet || same(now, f.read) {
		return false
	}
	f.read = now
	return true
}

// Forget forgets the known state of all files: the program is about to read them, even
// unchanged ones.
func (f *Files) Forget() { f.read = nil }

func look(paths []string) stamps {
	m := make(stamps, len(paths))
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			info = nil
		}
		m[path] = info
	}
	return m
}

// same reports whether all files of now are the same in before.
func same(now, before stamps) bool {
	for path, x := range now {
		y, ok := before[path]
		switch {
		case !ok, (x == nil) != (y == nil):
			return false
		case x == nil:
		case !os.SameFile(x, y), x.Size() != y.Size(), !x.ModTime().Equal(y.ModTime()):
			return false
		}
	}
	return true
}

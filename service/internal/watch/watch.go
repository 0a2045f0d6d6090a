// Package watch reports changes of files.
package watch

import (
	"io/fs"
	"os"
	"time"
)

// Files are files that a program has read, and how they were when it did. It looks at
// them through symbolic links, at time, size and identity. That works on every file
// system and however a file is changed: written over, renamed into place, or swapped by
// Kubernetes behind a ConfigMap's link; events of the kernel miss some of these. One
// goroutine at a time may use it.
//
// A change while the program reads is not lost: Begin comes before the first file is
// read, and Know before each file is, where its path is known by then.
type Files struct {
	began time.Time
	read  stamps // as they were when the program read them
	seen  stamps // as they were at the last look
}

// stamps describe files by their path; nil is a file that cannot be seen.
type stamps map[string]fs.FileInfo

// Begin says that the program reads its files from now on.
func (f *Files) Begin() { f.began = time.Now() }

// Know remembers the files at paths that it does not know yet. A file that was written
// since Begin counts as changed: the program may have read half of it.
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
// again. A change counts once it has stayed the same for two looks, so that a file that
// is still being written is left alone, and it is reported once.
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

// Forget makes the files that are there now the ones that are known: the program is
// about to read them, whether they have changed or not.
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

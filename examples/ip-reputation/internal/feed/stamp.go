package feed

import (
	"io/fs"
	"os"
)

// stamp distinguishes states of a file without reading it. The zero stamp equals no
// other.
type stamp struct {
	info fs.FileInfo // nil if the file could not be looked at
	err  string      // why not
}

// stampOf looks at a path, through symbolic links.
func stampOf(path string) stamp {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{err: err.Error()}
	}
	return stamp{info: info}
}

// same reports whether the file is unchanged between two looks. It compares the mode,
// too, because a file that could not be read may be readable now.
func (s stamp) same(o stamp) bool {
	if s.info == nil || o.info == nil {
		return s.info == nil && o.info == nil && s.err == o.err && s.err != ""
	}
	return os.SameFile(s.info, o.info) &&
		s.info.Size() == o.info.Size() &&
		s.info.Mode() == o.info.Mode() &&
		s.info.ModTime().Equal(o.info.ModTime())
}

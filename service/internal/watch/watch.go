// Package watch tells when files change.
package watch

import (
	"context"
	"io/fs"
	"os"
	"time"
)

// Files calls changed when one of the files that paths returns has changed, until
// ctx ends. It looks every so often, through symbolic links, at time, size and
// identity. That works on every file system and however the file is changed:
// written over, renamed into place, or swapped by Kubernetes behind a ConfigMap's
// link; events of the kernel miss some of these. A change counts once it has stayed
// the same for two looks, so that a file that is still being written is left alone.
func Files(ctx context.Context, every time.Duration, paths func() []string, changed func()) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	taken := stamps(paths())
	seen := taken
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := stamps(paths())
		quiet := same(now, seen)
		seen = now
		if quiet && !same(now, taken) {
			changed()
			// changed may have read a file later than now: one more call does no harm,
			// a change that is never seen does.
			taken = now
		}
	}
}

// stamps describe files by their path; nil is a file that cannot be seen.
func stamps(paths []string) map[string]fs.FileInfo {
	m := make(map[string]fs.FileInfo, len(paths))
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			info = nil
		}
		m[path] = info
	}
	return m
}

// same reports whether the files that are in both have not changed.
func same(a, b map[string]fs.FileInfo) bool {
	for path, x := range a {
		y, ok := b[path]
		if !ok {
			continue
		}
		if (x == nil) != (y == nil) {
			return false
		}
		if x != nil && (!os.SameFile(x, y) || x.Size() != y.Size() || !x.ModTime().Equal(y.ModTime())) {
			return false
		}
	}
	return true
}

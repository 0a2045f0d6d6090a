package feed

import (
	"context"
	"errors"
	"os"
	"time"
)

// Watch loads changed files until ctx ends. A signal on reload, which may be nil, makes it
// read all files at once, even unchanged ones: use SIGHUP. Call Watch after Load, in one
// goroutine.
func (s *Set) Watch(ctx context.Context, reload <-chan os.Signal) {
	tick := time.NewTicker(s.poll())
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.update(ctx, (*file).changed)
		case _, ok := <-reload:
			if !ok {
				reload = nil
				continue
			}
			s.logger().Info("reading all lists again")
			s.update(ctx, (*file).again)
		}
	}
}

// update reads the wanted files, and makes a new table if any is good.
func (s *Set) update(ctx context.Context, wanted func(*file) bool) {
	defer s.publish()
	changed := false
	for _, f := range s.files {
		if !wanted(f) {
			continue
		}
		err := f.load(ctx, s.quiet())
		switch {
		case err == nil:
			changed = true
		case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
			return
		default:
			f.reportFailure(err)
		}
	}
	if changed {
		s.rebuild()
	}
}

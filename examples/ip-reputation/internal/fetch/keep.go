package fetch

import (
	"context"
	"log/slog"
	"time"
)

// retry is the time after which a failed fetch is tried again, but at most every.
const retry = time.Minute

// Keep updates the file at once, and then at the interval every, until ctx ends.
func (f File) Keep(ctx context.Context, every time.Duration, log *slog.Logger) {
	log = log.With("url", f.URL, "path", f.Path)
	for {
		wait := every
		replaced, err := f.Update(ctx)
		if ctx.Err() != nil {
			return
		}
		if f.Done != nil {
			f.Done(replaced, err)
		}
		switch {
		case err != nil:
			log.Error("not fetched, the file stays as it is", "error", err)
			wait = min(retry, every)
		case replaced:
			log.Info("fetched")
		default:
			log.Debug("has not changed")
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
	}
}

package feed

import (
	"context"
	"errors"
	"fmt"
)

// loadAttempts is the number of times that Load reads a file that is being written.
const loadAttempts = 10

// Load reads all files and makes the first table. It fails if the sources
// contradict each other, or if any but an optional file cannot be used; the
// error then has one line for each of them. Call it once.
func (s *Set) Load(ctx context.Context) error {
	if err := CheckSources(s.Sources); err != nil {
		return err
	}
	var errs []error
	for _, source := range s.Sources {
		f := newFile(source, s.logger())
		s.files = append(s.files, f)
		err := f.load(ctx, s.quiet())
		for i := 1; errors.Is(err, errMoving) && i < loadAttempts; i++ {
			err = f.load(ctx, s.quiet())
		}
		switch {
		case err == nil:
		case source.Optional:
			f.reportFailure(err)
		case errors.Is(err, errMoving):
			errs = append(errs, fmt.Errorf("list %q: %s: is being written: start again when it is complete", source.List.Name, source.Path))
		default:
			errs = append(errs, fmt.Errorf("list %q: %w", source.List.Name, err))
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	s.rebuild()
	s.publish()
	return nil
}

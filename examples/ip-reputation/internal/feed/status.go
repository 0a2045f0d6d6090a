package feed

import (
	"time"

	"github.com/spoke-go/spoke/examples/ip-reputation/internal/reputation"
)

// Status is the state of one file.
type Status struct {
	List     reputation.List
	Path     string
	Prefixes int       // that the last good file said
	LoadedAt time.Time // when that was; zero if there was none
	Failing  bool      // the present file cannot be used
	Failures uint64    // attempts that failed
}

// Status returns the status of each source, in their order; nil before Load has
// ended. It may be called by any goroutine.
func (s *Set) Status() []Status {
	if status := s.status.Load(); status != nil {
		return *status
	}
	return nil
}

// publish makes the files' status known.
func (s *Set) publish() {
	status := make([]Status, 0, len(s.files))
	for _, f := range s.files {
		status = append(status, Status{
			List: f.source.List, Path: f.source.Path,
			Prefixes: len(f.prefixes), LoadedAt: f.loadedAt,
			Failing: f.failing != "", Failures: f.failures,
		})
	}
	s.status.Store(&status)
}

package feed

import (
	"time"

	"github.com/spoke-go/spoke/examples/ip-reputation/internal/reputation"
)

// Status is the state of one file.
type Status struct {
	List     reputation.List
	Path     string
	Prefixes int       // of the last good file
	LoadedAt time.Time // the time of its loading; zero if there was no good file
	Failing  bool      // the present file cannot be used
	Failures uint64    // attempts that failed
}

// Status returns the status of each source, in their order, or nil before Load ends.
// Any goroutine may call it.
func (s *Set) Status() []Status {
	if status := s.status.Load(); status != nil {
		return *status
	}
	return nil
}

// publish publishes the files' status.
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

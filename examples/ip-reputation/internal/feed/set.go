package feed

import (
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/spoke-go/spoke/examples/ip-reputation/internal/reputation"
)

const (
	// DefaultPoll is the time between two looks of Watch at the files.
	DefaultPoll = 2 * time.Second

	// DefaultQuiet is the time for which a file must stay unchanged before it is read.
	DefaultQuiet = 500 * time.Millisecond
)

// Set is a table and the files that feed it. Its exported fields must not be
// changed after Load.
type Set struct {
	Sources []Source
	Logger  *slog.Logger  // slog.Default() if nil
	Poll    time.Duration // DefaultPoll if 0
	Quiet   time.Duration // DefaultQuiet if 0

	table  atomic.Pointer[reputation.Table]
	status atomic.Pointer[[]Status]

	// files belongs to Load, then to Watch.
	files []*file
}

// Lookup returns the list that decides about an address, or nil; see
// [reputation.Table.Lookup].
func (s *Set) Lookup(addr netip.Addr) *reputation.List { return s.Table().Lookup(addr) }

// Table returns the current table, or nil before Load.
func (s *Set) Table() *reputation.Table { return s.table.Load() }

// rebuild makes a new table of the files' last contents.
func (s *Set) rebuild() {
	start := time.Now()
	entries := make([]reputation.Entries, 0, len(s.files))
	for _, f := range s.files {
		entries = append(entries, reputation.Entries{List: f.source.List, Prefixes: f.prefixes})
	}
	table := reputation.Build(entries)
	s.table.Store(table)
	s.logger().Debug("table built", "prefixes", table.Size(), "took", time.Since(start))
}

func (s *Set) logger() *slog.Logger {
	if s.Logger == nil {
		return slog.Default()
	}
	return s.Logger
}

func (s *Set) poll() time.Duration {
	if s.Poll <= 0 {
		return DefaultPoll
	}
	return s.Poll
}

func (s *Set) quiet() time.Duration {
	if s.Quiet <= 0 {
		return DefaultQuiet
	}
	return s.Quiet
}

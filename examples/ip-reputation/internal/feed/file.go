package feed

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"time"

	"github.com/spoke-go/spoke/examples/ip-reputation/internal/iplist"
)

// file is a source and its state.
type file struct {
	source   Source
	log      *slog.Logger // names the list and the path
	prefixes []netip.Prefix
	loaded   bool // prefixes is from the last good file
	loadedAt time.Time

	taken stamp // of the last attempt that could read the file, good or bad
	seen  stamp // of the last look

	failing  string // why the last attempt failed, "" if it did not
	reported bool   // the log has that
	failures uint64 // attempts that failed
}

func newFile(source Source, log *slog.Logger) *file {
	return &file{source: source, log: log.With("list", source.List.Name, "path", source.Path)}
}

// changed looks at the file and reports whether there is something to load: a state
// that is the same for two looks and was not tried yet.
func (f *file) changed() bool {
	if f.source.FS != nil {
		return false
	}
	now := stampOf(f.source.Path)
	before := f.seen
	f.seen = now
	return now.same(before) && !now.same(f.taken)
}

// again makes the next check read the file even if it is the same, and report a failure
// even if it reported one before.
func (f *file) again() bool {
	f.reported = false
	return f.source.FS == nil
}

// load loads the file. If it cannot be used, the list stays unchanged.
func (f *file) load(ctx context.Context, quiet time.Duration) error {
	list, taken, err := f.read(ctx, quiet)
	f.taken = taken
	if err != nil {
		return err
	}
	f.reportBadLines(list)
	message := "list loaded"
	switch {
	case f.failing != "":
		message = "list recovered"
	case f.loaded:
		message = "list reloaded"
	}
	f.log.Info(message, "score", f.source.List.Score, "entries", len(list.Prefixes), "before", len(f.prefixes), "bad_lines", list.Bad)
	f.prefixes, f.loaded, f.loadedAt, f.failing = list.Prefixes, true, time.Now(), ""
	return nil
}

func (f *file) read(ctx context.Context, quiet time.Duration) (*iplist.List, stamp, error) {
	if f.source.FS == nil {
		return read(ctx, f.source.Path, quiet)
	}
	in, err := f.source.FS.Open(f.source.Path)
	if err != nil {
		return nil, stamp{}, openError(f.source.Path, err)
	}
	defer in.Close()
	list, err := iplist.Parse(f.source.Path, in)
	return list, stamp{}, err
}

// reportBadLines logs the bad lines of a good list.
func (f *file) reportBadLines(list *iplist.List) {
	for _, p := range list.Problems {
		f.log.Warn("bad line left out", "line", p.Line, "reason", p.Reason, "text", p.Text)
	}
	if more := list.Bad - len(list.Problems); more > 0 {
		f.log.Warn("more bad lines left out", "count", more)
	}
}

// reportFailure logs, once for each reason, that the file cannot be used. A file that
// is being written is only late.
func (f *file) reportFailure(err error) {
	if errors.Is(err, errMoving) {
		f.log.Info("list is being written, it will be read when it is quiet")
		return
	}
	f.failures++
	if f.reported && f.failing == err.Error() {
		return
	}
	f.failing, f.reported = err.Error(), true
	message := "list not taken; it is empty until this is corrected"
	if f.loaded {
		message = "list not taken, the last good one stays"
	}
	f.log.Error(message, "error", err, "entries", len(f.prefixes))
}

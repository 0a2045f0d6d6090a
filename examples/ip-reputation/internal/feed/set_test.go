package feed_test

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/examples/ip-reputation/internal/feed"
	"github.com/spoke-go/spoke/examples/ip-reputation/internal/reputation"
	"github.com/spoke-go/spoke/internal/lockedbuffer"
)

// journal collects log lines, without their times.
type journal struct{ lockedbuffer.Buffer }

func (j *journal) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(j, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))
}

// write makes a file whose time differs from that of its predecessor: two
// writes within one tick of the file system's clock must not make a test flaky.
func write(t *testing.T, path string, lines ...string) {
	t.Helper()
	var after time.Time
	if info, err := os.Stat(path); err == nil {
		after = info.ModTime()
	}
	require.NoError(t, os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
	if info, err := os.Stat(path); err == nil && !info.ModTime().After(after) {
		require.NoError(t, os.Chtimes(path, time.Time{}, after.Add(time.Millisecond)))
	}
}

func listOf(s *feed.Set, addr string) string {
	if l := s.Lookup(netip.MustParseAddr(addr)); l != nil {
		return l.Name
	}
	return ""
}

func source(name string, score int, path string) feed.Source {
	return feed.Source{List: reputation.List{Name: name, Score: score}, Path: path}
}

// watched runs a test of a loaded and watched set of lists a and b, in a bubble
// of its own time: files are real, waiting takes no time.
func watched(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w := &world{a: filepath.Join(dir, "a.txt"), b: filepath.Join(dir, "b.txt"), reload: make(chan os.Signal, 1)}
		write(t, w.a, "192.0.2.1")
		write(t, w.b, "198.51.100.1")
		w.set = &feed.Set{Sources: []feed.Source{source("a", 0, w.a), source("b", 30, w.b)}, Logger: w.log.logger()}
		ctx, stop := context.WithCancel(t.Context())
		require.NoError(t, w.set.Load(ctx))
		w.log.Take()
		var done sync.WaitGroup
		done.Go(func() { w.set.Watch(ctx, w.reload) })
		defer done.Wait()
		defer stop()
		test(t, w)
	})
}

type world struct {
	set    *feed.Set
	a, b   string
	reload chan os.Signal
	log    journal
}

// settle waits until a change must have been taken in: two looks and the time
// for which a fresh file is watched.
func (w *world) settle() {
	time.Sleep(3*feed.DefaultPoll + 2*feed.DefaultQuiet)
	synctest.Wait()
}

func TestWatchTakesChangesIn(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(t *testing.T, w *world)
	}{
		{"written over", func(t *testing.T, w *world) { write(t, w.a, "192.0.2.2", "192.0.2.3") }},
		{"same length, same place", func(t *testing.T, w *world) { write(t, w.a, "192.0.2.2") }},
		{"renamed into place", func(t *testing.T, w *world) {
			write(t, w.a+".new", "192.0.2.2")
			require.NoError(t, os.Rename(w.a+".new", w.a))
		}},
		{"renamed into place with the same time and size", func(t *testing.T, w *world) {
			info, err := os.Stat(w.a)
			require.NoError(t, err)
			write(t, w.a+".new", "192.0.2.2")
			require.NoError(t, os.Chtimes(w.a+".new", time.Time{}, info.ModTime()))
			require.NoError(t, os.Rename(w.a+".new", w.a))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			watched(t, func(t *testing.T, w *world) {
				tt.change(t, w)
				w.settle()
				assert.Equal(t, "a", listOf(w.set, "192.0.2.2"))
				assert.Empty(t, listOf(w.set, "192.0.2.1"), "what the file no longer says")
				assert.Equal(t, "b", listOf(w.set, "198.51.100.1"), "the other list")
				assert.Contains(t, w.log.Take(), `level=INFO msg="list reloaded" list=a`)
			})
		})
	}
}

// Kubernetes swaps the directory behind a link.
func TestWatchConfigMap(t *testing.T) {
	dir := t.TempDir()
	day := func(name, line string) {
		require.NoError(t, os.Mkdir(filepath.Join(dir, name), 0o700))
		write(t, filepath.Join(dir, name, "a.txt"), line)
		require.NoError(t, os.Symlink(name, filepath.Join(dir, "..data.new")))
		require.NoError(t, os.Rename(filepath.Join(dir, "..data.new"), filepath.Join(dir, "..data")))
	}
	day("..day1", "192.0.2.1")
	require.NoError(t, os.Symlink("..data/a.txt", filepath.Join(dir, "a.txt")))
	synctest.Test(t, func(t *testing.T) {
		var log journal
		set := &feed.Set{Sources: []feed.Source{source("a", 0, filepath.Join(dir, "a.txt"))}, Logger: log.logger()}
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		require.NoError(t, set.Load(ctx))
		go set.Watch(ctx, nil) // ends with stop; the bubble waits for it
		day("..day2", "192.0.2.2")
		require.NoError(t, os.RemoveAll(filepath.Join(dir, "..day1")))
		time.Sleep(10 * feed.DefaultPoll)
		synctest.Wait()
		assert.Equal(t, "a", listOf(set, "192.0.2.2"))
		assert.Empty(t, listOf(set, "192.0.2.1"))
	})
}

func TestWatchNothingChanged(t *testing.T) {
	watched(t, func(t *testing.T, w *world) {
		table := w.set.Table()
		time.Sleep(time.Hour)
		synctest.Wait()
		assert.Same(t, table, w.set.Table())
		assert.Empty(t, w.log.Take())
	})
}

// A list that breaks stays as it was, is reported once, does not hold the
// others up, and its recovery is reported.
func TestWatchKeepsTheLastGoodList(t *testing.T) {
	for _, tt := range []struct {
		name   string
		spoil  func(t *testing.T, path string)
		reason string
	}{
		{"emptied", func(t *testing.T, path string) { require.NoError(t, os.Truncate(path, 0)) },
			"a.txt: is empty (no address in it): fill it"},
		{"only comments left", func(t *testing.T, path string) { write(t, path, "# nothing") },
			"a.txt: is empty (no address in it): fill it"},
		{"binary", func(t *testing.T, path string) { write(t, path, "\x7fELF\x00\x00") },
			"a.txt: is a binary file (NUL byte in line 1): point to a text file"},
		{"an error page", func(t *testing.T, path string) { write(t, path, "<html>429</html>") },
			"a.txt: is an HTML page: the download probably saved an error page"},
		{"garbage", func(t *testing.T, path string) { write(t, path, "a,b", "c,d") },
			"a.txt: does not look like an IP list (2 of 2 lines are no address"},
		{"deleted", func(t *testing.T, path string) { require.NoError(t, os.Remove(path)) },
			"a.txt: does not exist: check the path"},
		{"replaced by a directory", func(t *testing.T, path string) {
			require.NoError(t, os.Remove(path))
			require.NoError(t, os.Mkdir(path, 0o700))
		}, "a.txt: is a directory: name a file in it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			watched(t, func(t *testing.T, w *world) {
				tt.spoil(t, w.a)
				write(t, w.b, "198.51.100.1", "198.51.100.2")
				w.settle()
				time.Sleep(time.Hour)
				assert.Equal(t, "a", listOf(w.set, "192.0.2.1"), "the last good list")
				assert.Equal(t, "b", listOf(w.set, "198.51.100.2"), "the other list goes on")
				log := w.log.Take()
				assert.Equal(t, 1, strings.Count(log, `level=ERROR msg="list not taken, the last good one stays" list=a`), log)
				assert.Contains(t, log, tt.reason)
				assert.Contains(t, log, "entries=1")

				w.reload <- os.Interrupt // any signal does
				w.settle()
				assert.Equal(t, 1, strings.Count(w.log.Take(), "level=ERROR"), "asked to, it says so again")

				require.NoError(t, os.RemoveAll(w.a))
				write(t, w.a, "192.0.2.9")
				w.settle()
				assert.Equal(t, "a", listOf(w.set, "192.0.2.9"))
				assert.Empty(t, listOf(w.set, "192.0.2.1"))
				assert.Contains(t, w.log.Take(), `level=INFO msg="list recovered" list=a`)
			})
		})
	}
}

// A file that grows is left alone until it is complete.
func TestWatchHalfWrittenFile(t *testing.T) {
	watched(t, func(t *testing.T, w *world) {
		f, err := os.Create(w.a)
		require.NoError(t, err)
		defer f.Close()
		for i := range 20 {
			_, err := fmt.Fprintf(f, "192.0.2.%d\n", 100+i)
			require.NoError(t, err)
			time.Sleep(feed.DefaultPoll)
			synctest.Wait()
			require.Equal(t, "a", listOf(w.set, "192.0.2.1"), "step %d", i)
		}
		w.settle()
		assert.Empty(t, listOf(w.set, "192.0.2.1"))
		assert.Equal(t, "a", listOf(w.set, "192.0.2.119"))
	})
}

// The same when it is read because of a signal, at the wrong moment.
func TestReloadWhileBeingWritten(t *testing.T) {
	watched(t, func(t *testing.T, w *world) {
		write(t, w.a, "192.0.2.100")
		w.reload <- os.Interrupt
		time.Sleep(feed.DefaultQuiet / 2) // it has been read by now, but is not yet believed
		synctest.Wait()
		write(t, w.a, "192.0.2.100", "192.0.2.101")
		time.Sleep(feed.DefaultQuiet)
		synctest.Wait()
		assert.Equal(t, "a", listOf(w.set, "192.0.2.1"))
		assert.Contains(t, w.log.Take(), "list is being written")
		w.settle()
		assert.Equal(t, "a", listOf(w.set, "192.0.2.101"))
	})
}

// A signal reads a file that no look can tell from what it was.
func TestReloadBySignal(t *testing.T) {
	watched(t, func(t *testing.T, w *world) {
		info, err := os.Stat(w.a)
		require.NoError(t, err)
		write(t, w.a, "192.0.2.2")
		require.NoError(t, os.Chtimes(w.a, time.Time{}, info.ModTime()))
		w.settle()
		require.Equal(t, "a", listOf(w.set, "192.0.2.1"))
		w.reload <- os.Interrupt
		w.settle()
		assert.Equal(t, "a", listOf(w.set, "192.0.2.2"))
	})
}

func TestBadLinesAreReported(t *testing.T) {
	watched(t, func(t *testing.T, w *world) {
		lines := []string{"192.0.2.2", "oops"}
		for i := range 8 {
			lines = append(lines, fmt.Sprintf("192.0.2.%d", 10+i), "x")
		}
		write(t, w.a, lines...)
		w.settle()
		assert.Equal(t, "a", listOf(w.set, "192.0.2.17"))
		log := w.log.Take()
		assert.Contains(t, log, fmt.Sprintf(
			`level=WARN msg="bad line left out" list=a path=%s line=2 reason="neither an address nor a CIDR" text=oops`, w.a))
		assert.Equal(t, 5, strings.Count(log, "bad line left out"))
		assert.Contains(t, log, `msg="more bad lines left out" list=a path=`+w.a+` count=4`)
		assert.Contains(t, log, "bad_lines=9")
	})
}

func TestLoadNamesEveryBrokenList(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "good.txt"), "192.0.2.1")
	write(t, filepath.Join(dir, "empty.txt"), "#")
	require.NoError(t, os.Mkdir(filepath.Join(dir, "dir"), 0o700))
	set := &feed.Set{Quiet: time.Nanosecond, Sources: []feed.Source{
		source("good", 0, filepath.Join(dir, "good.txt")),
		source("empty", 0, filepath.Join(dir, "empty.txt")),
		source("none", 0, filepath.Join(dir, "none.txt")),
		source("dir", 0, filepath.Join(dir, "dir")),
		source("null", 0, os.DevNull),
	}}
	err := set.Load(t.Context())
	require.Error(t, err)
	assert.Equal(t, strings.ReplaceAll(`list "empty": DIR/empty.txt: is empty (no address in it): fill it, or take the list out of the flags if that is meant
list "none": DIR/none.txt: does not exist: check the path, or add optional=true if the file comes later
list "dir": DIR/dir: is a directory: name a file in it
list "null": /dev/null: is no regular file (Dcrw-rw-rw-): write the list into a file`, "DIR", dir), err.Error())
}

func TestLoadContradictions(t *testing.T) {
	err := (&feed.Set{Sources: []feed.Source{source("x", 0, "a"), source("x", 20, "b")}}).Load(t.Context())
	require.EqualError(t, err, `list "x" has two meanings (score 0 from a, score 20 from b): give it one score, or two names`)
	err = (&feed.Set{Sources: []feed.Source{source("x", 0, "a"), source("x", 0, "a")}}).Load(t.Context())
	require.EqualError(t, err, `list "x" names a twice: leave one out`)
}

// An optional file may come later.
func TestOptional(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		var log journal
		src := source("late", 0, filepath.Join(dir, "late.txt"))
		src.Optional = true
		set := &feed.Set{Sources: []feed.Source{src}, Logger: log.logger()}
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		require.NoError(t, set.Load(ctx))
		assert.Contains(t, log.Take(), `level=ERROR msg="list not taken; it is empty until this is corrected" list=late`)
		assert.Empty(t, listOf(set, "192.0.2.1"))
		go set.Watch(ctx, nil) // ends with stop; the bubble waits for it
		write(t, src.Path, "192.0.2.1")
		time.Sleep(10 * feed.DefaultPoll)
		synctest.Wait()
		assert.Equal(t, "late", listOf(set, "192.0.2.1"))
	})
}

// Lists inside the binary, and one list from two files.
func TestEmbedded(t *testing.T) {
	files := fstest.MapFS{
		"v4.txt": {Data: []byte("192.0.2.0/24\n")},
		"v6.txt": {Data: []byte("2001:db8::/32\n")},
	}
	v4, v6 := source("drop", 0, "v4.txt"), source("drop", 0, "v6.txt")
	v4.FS, v6.FS = files, files
	set := &feed.Set{Sources: []feed.Source{v4, v6}}
	require.NoError(t, set.Load(t.Context()))
	assert.Equal(t, "drop", listOf(set, "192.0.2.1"))
	assert.Equal(t, "drop", listOf(set, "2001:db8::1"))
	assert.Equal(t, 2, set.Table().Size())
}

// Readers at full speed while files change: every answer comes from one state
// of the lists, and none is missing.
func TestLookupDuringReloads(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.txt")
	write(t, path, "192.0.2.0/25", "198.51.100.1")
	set := &feed.Set{Sources: []feed.Source{source("a", 0, path)}, Poll: time.Millisecond, Quiet: time.Nanosecond, Logger: slog.New(slog.DiscardHandler)}
	require.NoError(t, set.Load(t.Context()))
	ctx, stop := context.WithCancel(t.Context())
	reload := make(chan os.Signal)
	var done sync.WaitGroup
	defer done.Wait()
	defer stop()
	done.Go(func() { set.Watch(ctx, reload) })
	always, either := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.1")
	for range 4 {
		done.Go(func() {
			for ctx.Err() == nil {
				if l := set.Lookup(always); l == nil || l.Name != "a" {
					t.Error("an address that is in every version of the list was not found")
					return
				}
				set.Lookup(either)
			}
		})
	}
	tables := map[*reputation.Table]bool{}
	for i := range 20 {
		write(t, path+".new", "192.0.2.0/25", fmt.Sprintf("198.51.100.%d", i))
		require.NoError(t, os.Rename(path+".new", path))
		reload <- os.Interrupt
		tables[set.Table()] = true
	}
	assert.Greater(t, len(tables), 1)
}

// locked is a file system that denies everything, to root as well: tests may run as root.
type locked struct{}

func (locked) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
}

func TestLoadUnreadable(t *testing.T) {
	src := source("a", 0, "a.txt")
	src.FS = locked{}
	err := (&feed.Set{Sources: []feed.Source{src}}).Load(t.Context())
	require.EqualError(t, err, `list "a": a.txt: cannot be opened (permission denied): let the user that the agent runs as read it (chmod, chown)`)
}

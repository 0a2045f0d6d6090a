// Command bench measures the cost of an agent, row by row, against bounds, and
// writes docs/performance.md's table and plot. README.md beside it says how.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spoke-go/spoke/internal/bench/internal/proc"
	"github.com/spoke-go/spoke/internal/bench/internal/report"
)

// bench is one run.
type bench struct {
	dir    string // of the bench module
	bins   string // where the built programs are
	rounds int
	warm   time.Duration
	window time.Duration
	conns  int // of the rows with many connections
	slow   time.Duration
	wrk    time.Duration

	server, load place
	report       report.Report
}

// row measures one row, or several, and adds to the report.
type row struct {
	id    string
	about string
	run   func(*bench, context.Context) error
}

var rows = []row{
	{"a", "8 × 16, one IPv4 argument", (*bench).rowA},
	{"b", "the same with Trace", (*bench).rowB},
	{"c", "the same with 9 arguments", (*bench).rowC},
	{"d", "8 × 1, both messages", (*bench).rowD},
	{"e", "allocations", (*bench).rowE},
	{"f", "64 × 16, a handler that sleeps 5 ms", (*bench).rowF},
	{"g", "idle connections", (*bench).rowG},
	{"h", "8,000/s over 10 to 5,000 connections", (*bench).rowH},
	{"i", "the others while one handler in 16 sleeps", (*bench).rowI},
	{"j", "16 handlers that compute", (*bench).rowJ},
	{"k", "latency at 30 % of the maximum", (*bench).rowK},
	{"l", "row a on all cores", (*bench).rowL},
	{"slow", "slow clients", (*bench).rowSlow},
	{"page", "row a with the page of package inspect", (*bench).rowPage},
	{"floor", "the floor against one below net.Conn", (*bench).rowFloor},
	{"forms", "the cost of forms of handlers and of middleware", (*bench).rowForms},
	{"free", "rows a and c on all cores, unpinned", (*bench).rowFree},
	{"m", "through a real HAProxy", (*bench).rowHAProxy},
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("bench: ")
	var b bench
	var ids []string
	for _, r := range rows {
		ids = append(ids, r.id)
	}
	only := flag.String("rows", strings.Join(ids, ","), "measure these `rows`")
	write := flag.Bool("write", false, "write the table and the plot of all rows into docs/")
	flag.IntVar(&b.rounds, "rounds", 7, "alternate between the servers this often")
	flag.DurationVar(&b.warm, "warm", 500*time.Millisecond, "load for this long before measuring")
	flag.DurationVar(&b.window, "for", 1500*time.Millisecond, "measure each round for this long")
	flag.IntVar(&b.conns, "conns", 10_000, "connections of rows g and slow")
	flag.DurationVar(&b.slow, "slow", 30*time.Second, "measure row slow for this long")
	flag.DurationVar(&b.wrk, "wrk", 4*time.Second, "measure each round through HAProxy for this long")
	flag.Parse()

	// The first interrupt ends the servers and the load; no process is left behind.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := b.run(ctx, strings.Split(*only, ","), *write); err != nil {
		stop()
		log.Fatal(err)
	}
}

func (b *bench) run(ctx context.Context, only []string, write bool) error {
	for _, id := range only {
		if !slices.ContainsFunc(rows, func(r row) bool { return r.id == id }) {
			return fmt.Errorf("no row is called %q", id)
		}
	}
	if write && len(only) < len(rows) {
		return errors.New("-write is for all rows: it would drop the others from the document")
	}
	if b.rounds < 1 || b.conns < 1 {
		return errors.New("-rounds and -conns are at least 1")
	}
	if err := b.prepare(ctx, only); err != nil {
		return err
	}
	defer os.RemoveAll(b.bins)
	for _, r := range rows {
		if !slices.Contains(only, r.id) {
			continue
		}
		log.Printf("row %s: %s", r.id, r.about)
		if err := r.run(b, ctx); err != nil {
			return fmt.Errorf("row %s: %w", r.id, err)
		}
	}
	fmt.Print(b.report.Markdown())
	if !write {
		return nil
	}
	docs := filepath.Join(b.dir, "..", "..", "docs")
	if err := os.WriteFile(filepath.Join(docs, "performance.svg"), []byte(b.report.Plot()), 0o644); err != nil {
		return err
	}
	return b.report.Insert(filepath.Join(docs, "performance.md"))
}

// prepare builds the programs and finds out about the machine.
func (b *bench) prepare(ctx context.Context, only []string) error {
	mod, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return fmt.Errorf("go env GOMOD: %w", err)
	}
	b.dir = filepath.Dir(strings.TrimSpace(string(mod)))
	if filepath.Base(b.dir) != "bench" {
		return errors.New("run it in the bench module: `go run -C bench .` does")
	}
	if b.bins, err = os.MkdirTemp("", "spoke-bench-"); err != nil {
		return err
	}
	packages := []string{"./floor", "./load"}
	if !slices.Equal(only, []string{"floor"}) {
		packages = append(packages, "./agent")
	}
	build := exec.CommandContext(ctx, "go", append([]string{"build", "-o", b.bins + "/"}, packages...)...)
	build.Dir = b.dir
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}

	serverCore, loadCore, ok, err := proc.Cores()
	if err != nil {
		return err
	}
	if !ok {
		log.Print("one core only: servers and generator share it")
	}
	b.server, b.load = place{serverCore, 1}, place{loadCore, 1}
	b.report = report.Report{
		Date:    time.Now(),
		Go:      runtime.Version(),
		CPU:     proc.CPUModel(),
		Cores:   runtime.NumCPU(),
		Kernel:  proc.Kernel(),
		Command: "make bench",
	}
	return proc.NeedFiles(uint64(b.conns) + 1000)
}

func (b *bench) path(bin string) string { return filepath.Join(b.bins, bin) }

package main

import (
	"context"
	"fmt"
	"log"
	"strconv"
	"time"

	"github.com/spoke-go/spoke/internal/bench/internal/report"
)

// traffic is the load of the generator.
type traffic struct {
	shape           string
	conns, inFlight int
	rate            float64 // NOTIFYs a second, or 0 for as many as the server answers
}

func (t traffic) String() string {
	s := fmt.Sprintf("%d × %d, %s", t.conns, t.inFlight, t.shape)
	if t.rate > 0 {
		s += fmt.Sprintf(", %.0f/s", t.rate)
	}
	return s
}

func (t traffic) floor() program {
	return program{name: "floor", bin: "floor", args: []string{"-shape", t.shape}}
}

// series is the results of one server, round by round.
type series struct {
	program
	loads []report.Load
}

func (s series) perNotify() []float64 {
	v := make([]float64, len(s.loads))
	for i, l := range s.loads {
		v[i] = l.PerNotify()
	}
	return v
}

func (s series) rates() []float64 {
	v := make([]float64, len(s.loads))
	for i, l := range s.loads {
		v[i] = l.Rate()
	}
	return v
}

func (s series) values(of func(report.Load) time.Duration) []float64 {
	v := make([]float64, len(s.loads))
	for i, l := range s.loads {
		v[i] = float64(of(l))
	}
	return v
}

func (s series) median(of func(report.Load) time.Duration) time.Duration {
	return time.Duration(report.SpreadOf(s.values(of)).Median)
}

// compare measures the programs in turn under the same traffic, round by round, and adds
// their costs to the report as ratios to the first of them. All servers run all the time;
// only one is under load.
func (b *bench) compare(ctx context.Context, rounds int, t traffic, programs ...program) ([]series, error) {
	// No server survives the comparison, not even after an error.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	servers := make([]*server, len(programs))
	result := make([]series, len(programs))
	for i, p := range programs {
		var err error
		if servers[i], err = b.serve(ctx, p, b.server); err != nil {
			return nil, err
		}
		if err := look(ctx, servers[i], p.looking); err != nil {
			return nil, err
		}
		result[i].program = p
	}
	for round := range rounds {
		for turn := range servers {
			i := (turn + round) % len(servers) // each is first, and last, in turn
			l, err := b.pipeline(ctx, servers[i], t)
			if err != nil {
				return nil, err
			}
			result[i].loads = append(result[i].loads, l)
			log.Printf("  %s, round %d of %d, %s: %.0f ns a NOTIFY, %.0f NOTIFYs/s, the server at %.0f %% of a core, the generator at %.0f %%",
				t, round+1, rounds, programs[i].name, l.PerNotify(), l.Rate(),
				100*float64(l.ServerCPU)/float64(l.Wall), 100*float64(l.LoadCPU)/float64(l.Wall))
		}
	}
	for _, s := range servers {
		if err := s.stop(); err != nil {
			return nil, err
		}
	}
	b.addCosts(t, result)
	return result, nil
}

func (b *bench) addCosts(t traffic, result []series) {
	for _, s := range result {
		b.report.Costs = append(b.report.Costs, report.Cost{
			Load:   t.String(),
			Server: s.name,
			NS:     report.SpreadOf(s.perNotify()),
			Ratio:  report.Ratios(s.perNotify(), result[0].perNotify()),
			Rate:   report.SpreadOf(s.rates()),
			P50:    s.median(func(l report.Load) time.Duration { return l.P50 }),
			P99:    s.median(func(l report.Load) time.Duration { return l.P99 }),
		})
	}
}

// pipeline has the generator load one server once.
func (b *bench) pipeline(ctx context.Context, s *server, t traffic) (report.Load, error) {
	ctx, cancel := context.WithTimeout(ctx, b.warm+b.window+time.Minute)
	defer cancel()
	gen, err := b.generator(ctx, "pipeline", s, t, "-warm", b.warm.String(), "-for", b.window.String())
	if err != nil {
		return report.Load{}, err
	}
	var l report.Load
	if err := gen.read(&l); err != nil {
		return l, err
	}
	if l.Notifies == 0 || l.ServerCPU <= 0 {
		return l, fmt.Errorf("%s answered %d NOTIFYs in %v of CPU time, which cannot be measured: take a longer -for", s.name, l.Notifies, l.ServerCPU)
	}
	return l, gen.stop()
}

func (b *bench) generator(ctx context.Context, mode string, s *server, t traffic, more ...string) (*process, error) {
	args := append([]string{
		"-mode", mode,
		"-addr", s.addr,
		"-pid", strconv.Itoa(s.pid()),
		"-shape", t.shape,
		"-conns", strconv.Itoa(t.conns),
		"-inflight", strconv.Itoa(t.inFlight),
		"-per-second", strconv.FormatFloat(t.rate, 'f', -1, 64),
	}, more...)
	return b.start(ctx, program{name: "generator against " + s.name, bin: "load", args: args}, b.load)
}

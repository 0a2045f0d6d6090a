package main

import (
	"context"
	"fmt"
	"runtime"

	"github.com/spoke-go/spoke/internal/bench/internal/report"
)

// The traffic of the rows that are ratios.
var (
	ipPipelined      = traffic{shape: "ip", conns: 8, inFlight: 16}
	requestPipelined = traffic{shape: "request", conns: 8, inFlight: 16}
	ipSingle         = traffic{shape: "ip", conns: 8, inFlight: 1}
	requestSingle    = traffic{shape: "request", conns: 8, inFlight: 1}
)

// agent is the agent as the rows have it, with more flags. The timeout is there
// for its cost: it is long enough never to be reached on a busy machine.
func agent(name string, flags ...string) program {
	return program{name: name, bin: "agent", args: append([]string{"-recover", "-timeout", "2s"}, flags...)}
}

var defaultAgent = agent("agent")

func (b *bench) rowA(ctx context.Context) error {
	return b.ratio(ctx, "a", "8 × 16, one IPv4 argument: typed handler, router, Recover, Timeout, one set-var", 1.15, ipPipelined, defaultAgent)
}

func (b *bench) rowB(ctx context.Context) error {
	return b.ratio(ctx, "b", "8 × 16, the same with Trace: OpenTelemetry's SDK installed, not sampled", 1.6, ipPipelined, agent("agent with Trace", "-trace"))
}

func (b *bench) rowC(ctx context.Context) error {
	return b.ratio(ctx, "c", "8 × 16, nine arguments: five of them strings, Recover, Timeout, two set-var", 1.6, requestPipelined, defaultAgent)
}

func (b *bench) rowD(ctx context.Context) error {
	err := b.ratio(ctx, "d", "8 × 1, one IPv4 argument: as in a, one NOTIFY in flight", 0.95, ipSingle, defaultAgent)
	if err != nil {
		return err
	}
	return b.ratio(ctx, "d", "8 × 1, nine arguments: as in c, one NOTIFY in flight", 0.95, requestSingle, defaultAgent)
}

func (b *bench) ratio(ctx context.Context, id, work string, limit float64, t traffic, p program) error {
	s, err := b.compare(ctx, b.rounds, t, t.floor(), p)
	if err != nil {
		return err
	}
	r := report.Ratios(s[1].perNotify(), s[0].perNotify())
	b.report.Rows = append(b.report.Rows, report.Row{
		ID:       id,
		Work:     work,
		Bound:    fmt.Sprintf("%.2f × floor", limit),
		Measured: r.String() + " × floor",
		Verdict:  report.Within(r.Median <= limit),
		Ratio:    r,
		Limit:    limit,
	})
	return nil
}

// fewer is the number of rounds for servers shown for information.
func (b *bench) fewer() int { return (b.rounds + 1) / 2 }

// rowFloor measures the possible saving below net.Conn.
func (b *bench) rowFloor(ctx context.Context) error {
	for _, t := range []traffic{ipPipelined, requestPipelined, ipSingle, requestSingle} {
		raw := t.floor()
		raw.name, raw.args = "floor on RawConn", append(raw.args, "-raw")
		if _, err := b.compare(ctx, b.fewer(), t, t.floor(), raw); err != nil {
			return err
		}
	}
	return nil
}

// rowForms measures the cost of each form of handler and of the middleware.
func (b *bench) rowForms(ctx context.Context) error {
	for _, t := range []traffic{ipPipelined, requestPipelined} {
		programs := []program{t.floor()}
		if t.shape == "ip" {
			programs = append(programs, program{name: "HandlerFunc, no router", bin: "agent", args: []string{"-form", "bare"}})
		}
		programs = append(programs,
			program{name: "router, HandlerFunc", bin: "agent", args: []string{"-form", "raw"}},
			program{name: "router, typed", bin: "agent", args: []string{"-form", "typed"}},
			program{name: "typed, Recover", bin: "agent", args: []string{"-recover"}},
			agent("typed, Recover, Timeout"),
			agent("typed, Recover, Trace, Timeout", "-trace"),
		)
		if _, err := b.compare(ctx, b.fewer(), t, programs...); err != nil {
			return err
		}
	}
	return nil
}

// rowFree measures without pinning, for information.
func (b *bench) rowFree(ctx context.Context) error {
	defer b.unpin()()
	for _, t := range []traffic{ipPipelined, requestPipelined} {
		floor, agent := t.floor(), defaultAgent
		floor.name += ", all cores"
		agent.name += ", all cores"
		if _, err := b.compare(ctx, b.fewer(), t, floor, agent); err != nil {
			return err
		}
	}
	return nil
}

// unpin lets servers and generator run on all cores, until the returned func is called.
func (b *bench) unpin() (pin func()) {
	server, load := b.server, b.load
	b.server, b.load = place{-1, runtime.NumCPU()}, place{-1, runtime.NumCPU()}
	return func() { b.server, b.load = server, load }
}

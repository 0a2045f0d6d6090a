package command

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spoke-go/spoke/cmd/spoectl/internal/chart"
	"github.com/spoke-go/spoke/cmd/spoectl/load"
)

// benchResult is the output of bench --json.
type benchResult struct {
	Agent       string        `json:"agent"`
	Connections int           `json:"connections"`
	InFlight    int           `json:"in_flight"`
	WantedRate  float64       `json:"wanted_rate,omitempty"`
	Took        time.Duration `json:"took_ns"`
	Notifies    uint64        `json:"notifies"`
	Rate        float64       `json:"rate"`
	Unsent      uint64        `json:"unsent"` // due, and without a free place until the end
	// Failures are known only with --error-var; Timeouts are not among them.
	Failures uint64 `json:"failures"`
	Timeouts uint64 `json:"timeouts"`
	Empty    uint64 `json:"empty"` // ACKs without an action

	// Latency is corrected for coordinated omission, Measured is not.
	Latency  percentiles `json:"latency_ns"`
	Measured percentiles `json:"measured_ns"`

	latency, measured load.Histogram
}

type percentiles struct {
	P50   time.Duration `json:"p50"`
	P90   time.Duration `json:"p90"`
	P99   time.Duration `json:"p99"`
	P999  time.Duration `json:"p99.9"`
	P9999 time.Duration `json:"p99.99"`
	Max   time.Duration `json:"max"`
	Mean  time.Duration `json:"mean"`
}

func percentilesOf(h *load.Histogram) percentiles {
	return percentiles{
		P50: h.Quantile(0.5), P90: h.Quantile(0.9), P99: h.Quantile(0.99),
		P999: h.Quantile(0.999), P9999: h.Quantile(0.9999), Max: h.Max(), Mean: h.Mean(),
	}
}

func (b *bench) result(r *load.Result) *benchResult {
	res := &benchResult{
		Agent: b.name, Connections: b.Conns, InFlight: b.InFlight, WantedRate: b.Rate,
		Took: r.Wall, Notifies: r.Acks, Rate: r.Rate(), Unsent: r.Unsent,
		Failures: r.Outcomes.Failed, Timeouts: r.Outcomes.TimedOut, Empty: r.Outcomes.Empty,
	}
	if b.Rate > 0 {
		res.latency, res.measured = r.Latency, r.Service
	} else {
		// Each place in flight would have asked again after the mean latency.
		res.latency, res.measured = r.Latency.Corrected(r.Latency.Mean()), r.Latency
	}
	res.Latency, res.Measured = percentilesOf(&res.latency), percentilesOf(&res.measured)
	return res
}

func (r *benchResult) load() string {
	how := "as fast as it goes"
	if r.WantedRate > 0 {
		how = thousands(r.WantedRate) + " NOTIFYs/s"
	}
	return fmt.Sprintf("%d connections × %d in flight, %s", r.Connections, r.InFlight, how)
}

const (
	histogramRows  = 16
	histogramWidth = 50
)

func (r *benchResult) print(out io.Writer) {
	fmt.Fprintf(out, "%s: %s\n", r.Agent, r.load())
	fmt.Fprintf(out, "%s NOTIFYs/s: %s in %v\n", thousands(r.Rate), thousands(float64(r.Notifies)), chart.Round(r.Took))
	if r.Unsent > 0 {
		fmt.Fprintf(out, "%s more were due and found no free place: the agent does not keep up with the rate\n", thousands(float64(r.Unsent)))
	}
	r.printOutcomes(out)
	fmt.Fprintf(out, "\n%-10s %9s %9s %9s %9s %9s %9s %9s\n", "latency", "p50", "p90", "p99", "p99.9", "p99.99", "max", "mean")
	r.Latency.print(out, "corrected")
	r.Measured.print(out, "measured")
	fmt.Fprintln(out, "\ncorrected:")
	fmt.Fprint(out, chart.Text(&r.latency, histogramRows, histogramWidth))
}

// printOutcomes says how many of the ACKs HAProxy gets nothing from.
func (r *benchResult) printOutcomes(out io.Writer) {
	for _, o := range []struct {
		n    uint64
		text string
	}{
		{r.Failures, "failures, by the error variable"},
		{r.Timeouts, "timeouts, by the error variable"},
		{r.Empty, "ACKs without an action"},
	} {
		if o.n > 0 {
			fmt.Fprintf(out, "%s %s (%.3g %%)\n", thousands(float64(o.n)), o.text, 100*float64(o.n)/float64(r.Notifies))
		}
	}
}

func (p percentiles) print(out io.Writer, name string) {
	fmt.Fprintf(out, "%-10s", name)
	for _, d := range []time.Duration{p.P50, p.P90, p.P99, p.P999, p.P9999, p.Max, p.Mean} {
		fmt.Fprintf(out, " %9s", chart.Round(d))
	}
	fmt.Fprintln(out)
}

func (r *benchResult) plot() string {
	return chart.SVG("Latency of "+r.Agent, fmt.Sprintf("%s: %s NOTIFYs/s for %v", r.load(), thousands(r.Rate), chart.Round(r.Took)),
		chart.Series{Name: "corrected for coordinated omission", Histogram: &r.latency},
		chart.Series{Name: "measured", Histogram: &r.measured})
}

// thousands writes 123456 as 123,456.
func thousands(f float64) string {
	s := fmt.Sprintf("%.0f", f)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// splitWords splits a line as a shell does: at white space outside of quotes,
// single or double; there are no escapes.
func splitWords(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	quote, begun := rune(0), false
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '"' || r == '\'':
			quote, begun = r, true
		case r == ' ' || r == '\t':
			if begun {
				words = append(words, word.String())
				word.Reset()
				begun = false
			}
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	if quote != 0 {
		return nil, errors.New("a quote is not closed")
	}
	if begun {
		words = append(words, word.String())
	}
	return words, nil
}

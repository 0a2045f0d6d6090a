package chart_test

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/cmd/spoectl/internal/chart"
	"github.com/spoke-go/spoke/cmd/spoectl/load"
)

func sample() *load.Histogram {
	var h load.Histogram
	h.AddN(100*time.Microsecond, 900)
	h.AddN(200*time.Microsecond, 99)
	h.Add(10 * time.Millisecond)
	return &h
}

func TestText(t *testing.T) {
	assert.Equal(t, `  ≤     316µs  99.90 % ████████
  ≤     999µs   0.00 %
  ≤    3.16ms   0.00 %
  ≤      10ms   0.10 % ▏
`, chart.Text(sample(), 4, 8))
	assert.Empty(t, chart.Text(&load.Histogram{}, 4, 8))
	var one load.Histogram
	one.Add(0)
	assert.Equal(t, 1, strings.Count(chart.Text(&one, 4, 8), "\n"))
}

func TestSVG(t *testing.T) {
	for name, h := range map[string]*load.Histogram{"sample": sample(), "empty": {}} {
		t.Run(name, func(t *testing.T) {
			svg := chart.SVG("a < b", "x & y", chart.Series{Name: "one", Histogram: h}, chart.Series{Name: "two", Histogram: h})
			d := xml.NewDecoder(strings.NewReader(svg))
			for {
				_, err := d.Token()
				if errors.Is(err, io.EOF) {
					break
				}
				require.NoError(t, err)
			}
			assert.Contains(t, svg, "a &lt; b")
			assert.NotContains(t, svg, "NaN")
			assert.NotContains(t, svg, "Inf")
		})
	}
}

func TestRound(t *testing.T) {
	assert.Equal(t, 1230*time.Microsecond, chart.Round(1234567))
	assert.Equal(t, 999*time.Nanosecond, chart.Round(999))
	assert.Zero(t, chart.Round(0))
}

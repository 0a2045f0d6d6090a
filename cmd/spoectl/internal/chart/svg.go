package chart

import (
	"fmt"
	"html"
	"math"
	"strings"
	"time"

	"github.com/spoke-go/spoke/cmd/spoectl/load"
)

// Series is one curve of a plot.
type Series struct {
	Name      string
	Histogram *load.Histogram
}

// Measures of the plot, in pixels.
const (
	width, height            = 860, 440
	left, right, top, bottom = 90, 50, 80, 70
)

var colors = []string{"#0969da", "#bf8700"}

// SVG returns a plot of latencies by percentile, both on logarithmic scales, as
// HdrHistogram's are: 90 %, 99 %, 99.9 % are equally far apart. It has a
// background of its own, as dark pages have none for it.
func SVG(title, subtitle string, series ...Series) string {
	least, most, count := time.Duration(math.MaxInt64), time.Duration(1), uint64(1)
	for _, s := range series {
		least = min(least, max(s.Histogram.Quantile(0), 1))
		most = max(most, s.Histogram.Max())
		count = max(count, s.Histogram.Count())
	}
	p := &plot{
		low:  math.Floor(math.Log10(float64(min(least, most)))),
		high: math.Ceil(math.Log10(float64(most))),
		// No percentile beyond the last measurement.
		nines: min(max(math.Ceil(math.Log10(float64(count))), 1), 6),
	}
	p.high = max(p.high, p.low+1)
	fmt.Fprintf(&p.b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" font-family="system-ui, 'DejaVu Sans', sans-serif" font-size="13" fill="#1f2328">
<rect width="%[1]d" height="%[2]d" fill="#ffffff"/>
<text x="20" y="30" font-size="16" font-weight="600">%[3]s</text>
<text x="20" y="50" font-size="12" fill="#57606a">%[4]s</text>
`, width, height, html.EscapeString(title), html.EscapeString(subtitle))
	p.grid()
	for i, s := range series {
		p.curve(s, colors[i%len(colors)], i)
	}
	p.b.WriteString("</svg>\n")
	return p.b.String()
}

// plot is an SVG under construction.
type plot struct {
	b         strings.Builder
	low, high float64 // powers of ten, in nanoseconds
	nines     float64 // the last percentile has so many nines
}

func (p *plot) x(q float64) float64 {
	n := p.nines
	if q < 1 {
		n = min(-math.Log10(1-q), p.nines)
	}
	return left + n/p.nines*(width-left-right)
}

func (p *plot) y(d time.Duration) float64 {
	at := (math.Log10(float64(max(d, 1))) - p.low) / (p.high - p.low)
	return height - bottom - min(max(at, 0), 1)*(height-top-bottom)
}

func (p *plot) grid() {
	for e := p.low; e <= p.high; e++ {
		d := time.Duration(math.Pow(10, e))
		y := p.y(d)
		fmt.Fprintf(&p.b, "<line x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" stroke=\"#d0d7de\"/>\n", left, y, width-right, y)
		fmt.Fprintf(&p.b, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n", left-10, y+4, d)
	}
	fmt.Fprintf(&p.b, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">50 %%</text>\n", p.x(0.5), height-bottom+20)
	for n := range int(p.nines) + 1 {
		q := 1 - math.Pow(10, -float64(n))
		x := p.x(q)
		fmt.Fprintf(&p.b, "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" stroke=\"#d0d7de\"/>\n", x, top, x, height-bottom)
		fmt.Fprintf(&p.b, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.*f %%</text>\n", x, height-bottom+20, max(n-2, 0), 100*q)
	}
	fmt.Fprintf(&p.b, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\" fill=\"#57606a\">this share of the NOTIFYs was answered within</text>\n", (left+width-right)/2, height-bottom+44)
}

func (p *plot) curve(s Series, color string, i int) {
	var points []string
	var seen uint64
	for b, n := range s.Histogram.Buckets() {
		points = append(points, fmt.Sprintf("%.1f,%.1f", p.x(float64(seen)/float64(s.Histogram.Count())), p.y(b[0])))
		seen += n
	}
	points = append(points, fmt.Sprintf("%.1f,%.1f", p.x(1), p.y(s.Histogram.Max())))
	fmt.Fprintf(&p.b, "<polyline points=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"/>\n", strings.Join(points, " "), color)
	y := top + 18 + 20*i
	fmt.Fprintf(&p.b, "<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%[2]d\" stroke=\"%[4]s\" stroke-width=\"2\"/>\n", left+14, y-4, left+40, color)
	fmt.Fprintf(&p.b, "<text x=\"%d\" y=\"%d\">%s</text>\n", left+48, y, html.EscapeString(s.Name))
}

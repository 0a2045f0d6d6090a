package report

import (
	"fmt"
	"html"
	"strings"
)

// Measures of the plot, in pixels.
const (
	plotWidth = 860
	barLeft   = 270
	barSpan   = 460 // from 0 to the greatest value of an axis
	barHeight = 20
	barStep   = 38
	headStep  = 64
)

// Plot returns the ratios against their bounds, and HAProxy's share, as SVG.
// It has a background of its own, as dark pages have none for it.
func (r *Report) Plot() string {
	p := &plot{}
	r.plotRatios(p)
	r.plotHAProxy(p)
	p.y += 16
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" font-family="system-ui, 'DejaVu Sans', sans-serif" font-size="13" fill="#1f2328">
<rect width="%[1]d" height="%[2]d" fill="#ffffff"/>
%[3]s</svg>
`, plotWidth, p.y, p.b.String())
}

func (r *Report) plotRatios(p *plot) {
	var rows []Row
	top := 1.0
	for _, row := range r.Rows {
		if row.Limit > 0 {
			rows = append(rows, row)
			top = max(top, row.Limit, 1.2*row.Ratio.Median) // one bad round shall not squeeze the others
		}
	}
	if len(rows) == 0 {
		return
	}
	p.head("CPU time per NOTIFY, as a multiple of the floor", "bar: median, amber over its bound; thin line: all rounds; red mark: bound; dashed: floor")
	scale := barSpan / (top * 1.05)
	first := p.y
	for _, row := range rows {
		color := "#2da44e"
		if row.Verdict == Miss {
			color = "#bf8700"
		}
		p.bar(row.ID+"  "+shorten(row.Work), row.Ratio.Median*scale, color)
		high := min(row.Ratio.High*scale, barSpan)
		p.line(row.Ratio.Low*scale, barHeight/2, high, barHeight/2, "#1f2328", 1.5, "")
		p.line(row.Limit*scale, -4, row.Limit*scale, barHeight+4, "#cf222e", 3, "")
		p.value(max(high, row.Limit*scale), fmt.Sprintf("%.2f of %.2f", row.Ratio.Median, row.Limit))
		p.y += barStep
	}
	last := p.y
	p.y = first
	p.line(scale, -10, scale, last-first-8, "#57606a", 1, "4 3")
	p.y = last
}

func (r *Report) plotHAProxy(p *plot) {
	if len(r.HAProxy) == 0 {
		return
	}
	top := 0.0
	for _, h := range r.HAProxy {
		top = max(top, h.None.High, h.Floor.High, h.Agent.High)
	}
	p.head("Requests a second through HAProxy", "wrk with 64 connections on the same cores; bar: median; thin line: all rounds")
	scale := barSpan / (top * 1.05)
	for _, h := range r.HAProxy {
		version, _, _ := strings.Cut(h.Version, "-") // without Debian's part
		for _, bar := range []struct {
			label, color string
			rate         Spread
		}{
			{"without SPOE", "#8c959f", h.None},
			{"with the floor", "#54aeff", h.Floor},
			{"with the agent", "#2da44e", h.Agent},
		} {
			p.bar("HAProxy "+version+", "+bar.label, bar.rate.Median*scale, bar.color)
			p.line(bar.rate.Low*scale, barHeight/2, bar.rate.High*scale, barHeight/2, "#1f2328", 1.5, "")
			p.value(bar.rate.High*scale, thousands(bar.rate.Median))
			p.y += barStep - 8
		}
		p.y += 12
	}
}

// plot is an SVG under construction; y is where the next thing goes.
type plot struct {
	b strings.Builder
	y int
}

func (p *plot) head(title, legend string) {
	p.y += headStep - 34
	fmt.Fprintf(&p.b, "<text x=\"20\" y=\"%d\" font-size=\"16\" font-weight=\"600\">%s</text>\n", p.y, html.EscapeString(title))
	fmt.Fprintf(&p.b, "<text x=\"20\" y=\"%d\" font-size=\"12\" fill=\"#57606a\">%s</text>\n", p.y+19, html.EscapeString(legend))
	p.y += 38
}

func (p *plot) bar(label string, width float64, color string) {
	fmt.Fprintf(&p.b, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n", barLeft-12, p.y+15, html.EscapeString(label))
	fmt.Fprintf(&p.b, "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>\n", barLeft, p.y, width, barHeight, color)
}

func (p *plot) value(x float64, text string) {
	fmt.Fprintf(&p.b, "<text x=\"%.1f\" y=\"%d\" font-size=\"12\">%s</text>\n", barLeft+x+8, p.y+15, html.EscapeString(text))
}

// line draws from and to points relative to the current bar's upper left.
func (p *plot) line(x1 float64, y1 int, x2 float64, y2 int, color string, width float64, dash string) {
	fmt.Fprintf(&p.b, "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" stroke=\"%s\" stroke-width=\"%.1f\" stroke-dasharray=\"%s\"/>\n",
		barLeft+x1, p.y+y1, barLeft+x2, p.y+y2, color, width, dash)
}

// shorten cuts a row's work at its first colon: the plot is too narrow for all.
func shorten(work string) string {
	s, _, _ := strings.Cut(work, ":")
	return s
}

package inspect

// Total returns how many messages are counted.
func (p *Page) Total() (n uint64) {
	for _, m := range p.stats(newViewer(nil)).Messages {
		n += m.Total
	}
	return n
}

// Look makes the page believe that a browser has it open, with the filter of a
// query, and returns what the browser gets and what it lost.
func (p *Page) Look(query map[string][]string) (samples func() int, dropped func() (skipped, lost uint64), leave func()) {
	v := newViewer(query)
	if !p.join(v) {
		panic("no place for a viewer")
	}
	return func() int { return len(v.samples) },
		func() (uint64, uint64) { return v.skipped.Load(), v.lost.Load() },
		func() { p.leave(v) }
}

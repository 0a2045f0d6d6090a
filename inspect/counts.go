package inspect

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spoke-go/spoke/internal/cowmap"
)

const (
	slotLength = 5 * time.Second
	slots      = 60 // of slotLength: five minutes
	recent     = 12 // slots for percentiles: one minute
	maxNames   = 64 // messages that are counted separately
	otherName  = "(others)"
)

// counts has a count for each message.
type counts struct {
	byName cowmap.Map[string, *count]
	resets atomic.Uint64
}

// A count has the numbers of one message.
type count struct {
	name     string
	resets   uint64 // of counts, when this one was made
	inFlight atomic.Int64

	slotsMu  sync.Mutex // guards the fields below
	outcomes [outcomes]uint64
	slots    [slots]slot
}

// A slot counts the messages of one slotLength.
type slot struct {
	number int64 // slotLengths since 1970; a slot with another number is old
	total  uint32
	failed uint32
	times  histogram
}

// reset forgets all messages. A message in its handler keeps its old count.
func (c *counts) reset() {
	c.byName.Clear()
	c.resets.Add(1)
}

func (c *counts) of(name string) *count {
	if found := c.byName.All()[name]; found != nil {
		return found
	}
	name = strings.Clone(name) // it may live in a buffer that is used again
	return c.byName.Add(name, maxNames, otherName, func(name string) *count {
		return &count{name: name, resets: c.resets.Load()}
	})
}

// fits reports whether c still counts the messages of that name.
func (c *count) fits(all *counts, name string) bool {
	return c != nil && c.name == name && c.resets == all.resets.Load()
}

func (c *count) add(now time.Time, o outcome, took time.Duration) {
	number := now.UnixNano() / int64(slotLength)
	c.slotsMu.Lock()
	defer c.slotsMu.Unlock()
	c.outcomes[o]++
	s := &c.slots[number%slots]
	if s.number != number {
		*s = slot{number: number}
	}
	s.total++
	if o != outcomeOK && o != outcomeEmpty {
		s.failed++
	}
	s.times.add(took)
}

// messageStats has the numbers that a page shows about one message. Times are in
// microseconds.
type messageStats struct {
	Name          string            `json:"name"`
	InFlight      int64             `json:"inFlight"`
	Total         uint64            `json:"total"`
	Outcomes      map[string]uint64 `json:"outcomes"`
	P50, P95, P99 float64
	Rates         []float64 `json:"rates"`  // a second, for each slot, oldest first
	Failed        []float64 `json:"failed"` // the part of Rates that failed
	P50s          []float64 `json:"p50s"`   // for each slot
	P99s          []float64 `json:"p99s"`
}

// snapshot returns all messages in the order of their names.
func (c *counts) snapshot(now time.Time) []messageStats {
	all := slices.SortedFunc(maps.Values(c.byName.All()), func(a, b *count) int { return cmp.Compare(a.name, b.name) })
	stats := make([]messageStats, 0, len(all))
	for _, found := range all {
		stats = append(stats, found.snapshot(now))
	}
	return stats
}

func (c *count) snapshot(now time.Time) messageStats {
	m := messageStats{Name: clipName(c.name), InFlight: c.inFlight.Load(), Outcomes: map[string]uint64{}}
	var times histogram
	last := now.UnixNano() / int64(slotLength)
	c.slotsMu.Lock()
	defer c.slotsMu.Unlock()
	for o, n := range c.outcomes {
		m.Outcomes[outcome(o).String()] = n
		m.Total += n
	}
	for number := last - slots + 1; number <= last; number++ {
		s := &c.slots[number%slots]
		if s.number != number {
			m.Rates, m.Failed = append(m.Rates, 0), append(m.Failed, 0)
			m.P50s, m.P99s = append(m.P50s, 0), append(m.P99s, 0)
			continue
		}
		m.P50s, m.P99s = append(m.P50s, s.times.quantile(.5)), append(m.P99s, s.times.quantile(.99))
		m.Rates = append(m.Rates, float64(s.total)/slotLength.Seconds())
		m.Failed = append(m.Failed, float64(s.failed)/slotLength.Seconds())
		if number > last-recent {
			times.merge(&s.times)
		}
	}
	m.P50, m.P95, m.P99 = times.quantile(.5), times.quantile(.95), times.quantile(.99)
	return m
}

package gcra

import (
	_ "embed"
	"time"
)

// Tick is the unit of time of this package: small enough for 50,000 requests a second
// within 1 %, and large enough for Lua, whose numbers are exact up to 2^53, until the year
// 2041.
const Tick = 250 * time.Nanosecond

// Script charges all limits of a request in Redis. KEYS are those of the charges, ARGV the
// [Args] of each. It returns how far each key's TAT was ahead before, in ticks, and has the
// same result as [Table.Charge].
//
//go:embed charge.lua
var Script string

// Charge is a request's charge on one limit.
type Charge struct {
	Limit    int // which limit; for the caller
	Key      string
	Interval int64 // ticks from one request to the next at the limit's rate, 1 or more
	Burst    int64 // how many requests may come at once
	Cost     int64 // how many requests this one counts as, Burst at most
	DryRun   bool  // the limit refuses nothing
}

// Increment returns the ticks by which the charge moves the TAT.
func (c Charge) Increment() int64 { return c.Interval * c.Cost }

// Tolerance returns the ticks that the TAT may be ahead of the clock.
func (c Charge) Tolerance() int64 { return c.Interval * c.Burst }

// Over reports whether the request is over the limit, whose TAT is that many ticks ahead.
func (c Charge) Over(ahead int64) bool { return c.Wait(ahead) > 0 }

// Wait returns the number of ticks until the request is within the limit.
func (c Charge) Wait(ahead int64) int64 { return max(ahead+c.Increment()-c.Tolerance(), 0) }

// Remaining returns the number of requests that the limit admits at once.
func (c Charge) Remaining(ahead int64) int64 { return max(c.Tolerance()-ahead, 0) / c.Interval }

// Refuses reports whether the limit refuses the request.
func (c Charge) Refuses(ahead int64) bool { return !c.DryRun && c.Over(ahead) }

// Args are the charge's arguments for [Script].
func (c Charge) Args() [3]any {
	enforced := 1
	if c.DryRun {
		enforced = 0
	}
	return [3]any{c.Increment(), c.Tolerance(), enforced}
}

// Share returns the charge for one of n agents that share the limit evenly. Its burst is
// enough for the request.
func (c Charge) Share(n int64) Charge {
	c.Interval *= n
	c.Burst = max(c.Burst/n, c.Cost)
	return c
}

// Refused reports whether any of the charges refuses the request.
func Refused(charges []Charge, ahead []int64) bool {
	for i, c := range charges {
		if c.Refuses(ahead[i]) {
			return true
		}
	}
	return false
}

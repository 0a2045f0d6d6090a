package main

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/spoke-go/spoke/examples/rate-limit/internal/fleet"
	"github.com/spoke-go/spoke/examples/rate-limit/internal/gcra"
)

// Answer has the variables that HAProxy gets. For a request that no limit counts, it has
// only Allowed.
type Answer struct {
	Allowed   bool    `spoe:"allowed"`
	Source    string  `spoe:"source"`                // the counter: redis, cache or local; open, closed or none without a count
	Which     *string `spoe:"which,unset"`           // the limit of the other fields: it refuses, or is nearest to refusing
	Limit     *int64  `spoe:"limit,unset"`           // its rate
	Remaining *int64  `spoe:"remaining,unset"`       // how many requests it lets through now
	Reset     *int64  `spoe:"reset,unset"`           // seconds until that is the burst again
	Retry     int64   `spoe:"retry_after,omitempty"` // seconds until it lets a refused request through
	Policy    string  `spoe:"policy,omitempty"`      // the header RateLimit-Policy: all limits that count the request
}

// limiter answers questions.
type limiter struct {
	policy  func() *policy // the current one
	store   *fleet.Store   // nil without Redis
	refused *gcra.Table    // of clients that Redis refused
	local   *gcra.Table    // of clients that this agent counts itself
	metrics *metrics
	log     *slog.Logger
}

// The sources of an answer.
const (
	fromRedis = "redis"
	fromCache = "cache"
	fromLocal = "local"
	isOpen    = "open"
	isClosed  = "closed"
	isNone    = "none"
)

// check must not block for longer than the store's deadline: it is in the path of every
// request.
func (l *limiter) check(ctx context.Context, _ struct{}) (Answer, error) {
	p, args := l.policy(), argsOf(ctx)
	l.noteMissing(p, args)
	charges := p.charges(args)
	if len(charges) == 0 {
		return Answer{Allowed: true, Source: isNone}, nil
	}
	charges, ahead, source := l.charge(p, charges)
	l.metrics.count(ctx, p, charges, ahead, source)
	return p.answer(charges, ahead, source), nil
}

// charge charges a request. It returns how far the TAT of each charge was ahead, the source
// of these values, and the charges, which are smaller if the agent counts its share of the
// limits.
func (l *limiter) charge(p *policy, charges []gcra.Charge) (charged []gcra.Charge, ahead []int64, source string) {
	ahead = make([]int64, len(charges))
	if l.store == nil {
		l.local.Charge(charges, ahead)
		return charges, ahead, fromLocal
	}
	if l.refused.Ahead(charges, ahead); gcra.Refused(charges, ahead) {
		return charges, ahead, fromCache
	}
	now := l.refused.Now()
	if told, err := l.store.Charge(charges); err == nil {
		for i, c := range charges {
			if c.Refuses(told[i]) {
				l.refused.Set(c.Key, now+told[i])
			}
		}
		return charges, told, fromRedis
	}
	if p.config.Gone != fromLocal {
		return charges, nil, p.config.Gone
	}
	for _, c := range charges { // earlier charges may still be on their way to Redis
		charged = append(charged, c.Share(p.config.Agents))
	}
	l.local.Charge(charged, ahead)
	return charged, ahead, fromLocal
}

// answer returns the answer about charges whose TATs were that far ahead.
func (p *policy) answer(charges []gcra.Charge, ahead []int64, source string) Answer {
	switch source {
	case isOpen:
		return Answer{Allowed: true, Source: source}
	case isClosed:
		return Answer{Source: source, Retry: 1}
	}
	a := Answer{Allowed: !gcra.Refused(charges, ahead), Source: source}
	var nearest *limit
	var least int64 // of the nearest limit's remaining requests, or of the negative time until it allows the request
	for i, c := range charges {
		if c.DryRun {
			continue
		}
		l, after, left := &p.limits[c.Limit], ahead[i], -c.Wait(ahead[i])
		if a.Allowed {
			after += c.Increment()
			left = c.Remaining(after)
		}
		if a.Policy += ", " + l.text; nearest == nil || left < least {
			nearest, least = l, left
			a.Which, a.Limit, a.Remaining, a.Reset = &l.Name, &l.Rate, new(c.Remaining(after)), new(seconds(after))
			a.Retry = seconds(c.Wait(ahead[i]))
		}
	}
	a.Policy = strings.TrimPrefix(a.Policy, ", ")
	return a
}

// seconds rounds ticks up to seconds.
func seconds(ticks int64) int64 {
	const second = int64(time.Second / gcra.Tick)
	return (ticks + second - 1) / second
}

package middleware

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/spoke-go/spoke/spoe"
)

// CacheConfig configures [Cache].
type CacheConfig struct {
	// MaxBytes is the maximum memory of keys and answers for each wrapped handler, 64
	// KiB at least. The least recently used answers are dropped first, and an answer
	// larger than a sixteenth of MaxBytes is not kept. Default: 32 MiB.
	MaxBytes int
	// MeterProvider takes the metric spop.cache.lookups, which spop.cache.result
	// splits into hit and miss. Default: OpenTelemetry's global one.
	MeterProvider metric.MeterProvider
}

const (
	defaultCacheBytes = 32 << 20
	minCacheBytes     = 64 << 10
)

// Cache keeps a handler's answers, the variables that it sets and unsets, in memory,
// and uses them for messages with the same key until they are ttl old:
//
//	middleware.Cache(time.Minute, middleware.KeyArgs("ip"))
//
// It does not keep failures. It keeps the answer of a handler that missed its deadline,
// for the next message.
//
// The handler gets its own Actions: Reset drops only actions of the handler, not of
// middleware outside. Each handler that the returned middleware wraps has its own
// store. Messages that miss at the same time all call the handler: put [Coalesce]
// inside.
//
// Cache panics if ttl is not positive, or on more than one configuration.
func Cache(ttl time.Duration, key Key, cfgs ...CacheConfig) spoe.Middleware {
	cfg := only("Cache", cfgs)
	if ttl <= 0 {
		panic(fmt.Sprintf("middleware: Cache(%v): no answer would ever be kept: write a time above 0", ttl))
	}
	key.mustBeSet("Cache")
	if cfg.MaxBytes != 0 && cfg.MaxBytes < minCacheBytes {
		panic(fmt.Sprintf("middleware: CacheConfig.MaxBytes is %d: write %d or more, or 0 for %d", cfg.MaxBytes, minCacheBytes, defaultCacheBytes))
	}
	lookups := newLookups(cfg.MeterProvider)
	return func(next spoe.Handler) spoe.Handler {
		c := &cache{ttl: ttl, key: key, next: next, lookups: lookups, store: newStore(cmp.Or(cfg.MaxBytes, defaultCacheBytes))}
		return &keyed{HandlerFunc: c.serve, key: key}
	}
}

type cache struct {
	ttl     time.Duration
	key     Key
	next    spoe.Handler
	lookups func() *methods[*lookups]
	store   *store
}

func (c *cache) serve(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
	buf := c.key.buffer(msg)
	defer buf.put()
	if buf.key == nil {
		return c.next.ServeSPOE(ctx, msg, acts)
	}
	count := c.lookups().get(msg.Name)
	if kept, ok := c.store.get(buf.key, time.Now()); ok {
		count.hits.Add(1)
		if kept.onFailure != nil {
			msg.OnFailure(kept.onFailure)
		}
		return kept.answer.give(acts)
	}
	count.misses.Add(1)
	return c.ask(ctx, msg, acts, buf.key)
}

// ask calls the handler and keeps the answer. It also keeps the handler's OnFailure
// function: if the answer is too big for the ACK, a hit fails as the miss did.
func (c *cache) ask(ctx context.Context, msg *spoe.Message, acts *spoe.Actions, key []byte) error {
	fork := msg.Fork()
	msg.OnFailure(func(err error, acts *spoe.Actions) { callFailureHook(fork, err, acts) })
	var own spoe.Actions
	if err := c.next.ServeSPOE(ctx, fork, &own); err != nil {
		return err
	}
	a := keep(&own)
	c.store.put(key, kept{answer: a, onFailure: fork.FailureHook()}, time.Now().Add(c.ttl))
	return a.give(acts)
}

// callFailureHook calls the functions that OnFailure of a copy got so far.
func callFailureHook(msg *spoe.Message, err error, acts *spoe.Actions) {
	if hook := msg.FailureHook(); hook != nil {
		hook(err, acts)
	}
}

// lookups counts hits and misses of a message name.
type lookups struct{ hits, misses atomic.Int64 }

// newLookups returns the counts. The first message makes them, because programs set
// OpenTelemetry's global provider late. The metric reads them when it is collected.
func newLookups(p metric.MeterProvider) func() *methods[*lookups] {
	return sync.OnceValue(func() *methods[*lookups] {
		counts := &methods[*lookups]{make: func(string) *lookups { return new(lookups) }}
		meter := meterOf(p)
		total := counter(meter, "spop.cache.lookups", "{lookup}", "Messages whose answer was looked for in the cache.")
		onCollect(meter, total, func(o metric.Observer) {
			for method, c := range counts.all() {
				o.ObserveInt64(total, c.hits.Load(), lookupResult(method, "hit"))
				o.ObserveInt64(total, c.misses.Load(), lookupResult(method, "miss"))
			}
		})
		return counts
	})
}

func lookupResult(method, result string) metric.ObserveOption {
	return metric.WithAttributes(methodAttributes(method, attribute.String("spop.cache.result", result))...)
}

package middleware

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/spoke-go/spoke/spoe"
)

// CacheConfig configures [CacheWith]. The zero CacheConfig keeps answers for a
// second.
type CacheConfig struct {
	// TTL is how long an answer is kept. Default: 1 s.
	TTL time.Duration
	// MaxBytes is how much memory keys and answers may take, for each handler
	// that is wrapped. Those used least recently make room. Default: 32 MiB.
	MaxBytes int
	// Key tells which messages ask the same. Default: those with the same name
	// and the same arguments; see [KeyArgs].
	Key Key
	// MeterProvider takes the metric spop.cache.lookups, which spop.cache.result
	// splits into hit and miss. Default: OpenTelemetry's global one.
	MeterProvider metric.MeterProvider
}

// Cache keeps answers for ttl: messages of one name that are alike in the
// arguments of these names, or in all where none is named, share them; see
// [CacheWith].
func Cache(ttl time.Duration, args ...string) spoe.Middleware {
	if ttl <= 0 {
		panic(fmt.Sprintf("middleware: Cache(%v): nothing would ever be kept", ttl))
	}
	return CacheWith(CacheConfig{TTL: ttl, Key: KeyArgs(args...)})
}

// CacheWith keeps the answers of a handler, the variables that it sets and
// unsets, in memory, and gives them to messages that ask the same until they are
// TTL old. Failures are not kept. A handler that has missed its deadline still
// has its answer kept for the next.
//
// Each handler that the returned middleware wraps has a store of its own.
// Messages that miss at the same time all ask: put [Coalesce] inside.
func CacheWith(cfg CacheConfig) spoe.Middleware {
	if cfg.TTL < 0 || cfg.MaxBytes < 0 {
		panic(fmt.Sprintf("middleware: CacheConfig{TTL: %v, MaxBytes: %d}: neither can be negative", cfg.TTL, cfg.MaxBytes))
	}
	ttl, maxBytes, key := orDefault(cfg.TTL, time.Second), orDefault(cfg.MaxBytes, 32<<20), cfg.Key
	if key == nil {
		key = KeyArgs()
	}
	lookups := newLookups(cfg.MeterProvider)
	return func(next spoe.Handler) spoe.Handler {
		s := newStore(maxBytes)
		return spoe.HandlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
			buf := keyOf(key, msg)
			defer buf.put()
			if buf.key == nil {
				return next.ServeSPOE(ctx, msg, acts)
			}
			count := lookups.get(msg.Name)
			if kept, ok := s.get(buf.key, time.Now()); ok {
				count.hits.Add(1)
				return kept.give(acts)
			}
			count.misses.Add(1)
			before := acts.Len() // by middleware outside, for this message alone
			if err := next.ServeSPOE(ctx, msg, acts); err != nil {
				return err
			}
			s.put(buf.key, keep(acts, before), time.Now().Add(ttl))
			return nil
		})
	}
}

// lookups counts hits and misses of a message name.
type lookups struct{ hits, misses atomic.Int64 }

// newLookups returns the counts, which the metric reads when it is asked for.
func newLookups(p metric.MeterProvider) *methods[*lookups] {
	counts := &methods[*lookups]{make: func(string) *lookups { return new(lookups) }}
	meter := meterOf(p)
	total := made(meter.Int64ObservableCounter("spop.cache.lookups",
		metric.WithUnit("{lookup}"),
		metric.WithDescription("Messages whose answer was looked for in the cache.")))
	onCollect(meter, total, func(o metric.Observer) {
		for method, c := range counts.all() {
			o.ObserveInt64(total, c.hits.Load(), lookupResult(method, "hit"))
			o.ObserveInt64(total, c.misses.Load(), lookupResult(method, "miss"))
		}
	})
	return counts
}

func lookupResult(method, result string) metric.ObserveOption {
	return metric.WithAttributes(methodAttributes(method, attribute.String("spop.cache.result", result))...)
}

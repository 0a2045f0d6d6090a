package middleware

import (
	"time"

	"github.com/spoke-go/spoke/spoe"
)

// DefaultConfig configures [DefaultWith]. The zero DefaultConfig is that of
// Default(100 * time.Millisecond).
type DefaultConfig struct {
	// Timeout is that of [Timeout]. Default: 100 ms.
	Timeout time.Duration
	Trace   TraceConfig
	Metrics MetricsConfig
	// Log has a line for each message; nil has none, as the agent logs failures
	// anyway.
	Log *LogConfig
	// Limit bounds concurrency; nil does not, as the agent's MaxConcurrent does
	// without shedding.
	Limit *LimitConfig
}

// Default is the middleware that most agents want, in the order in which it
// works: Trace, Metrics, Timeout(d), Recover. See [DefaultWith].
func Default(d time.Duration) spoe.Middleware {
	Timeout(d) // panics where d is not positive
	return DefaultWith(DefaultConfig{Timeout: d})
}

// DefaultWith is, from the outermost to the innermost:
//
//   - [Trace], so that all that follows has a span and the log its ids;
//   - [Metrics], [Log]: they see what becomes of a message, whatever stops it;
//   - [Timeout], so that waiting for Limit counts, too;
//   - [Limit], near to what it protects;
//   - [Recover], so that all of these see a panic as the error that it is.
//
// Inside of it belong [Cache] and then [Coalesce], on the routes that want them.
// [Detach] belongs outside, or on a route of its own.
func DefaultWith(cfg DefaultConfig) spoe.Middleware {
	chain := []spoe.Middleware{TraceWith(cfg.Trace), MetricsWith(cfg.Metrics)}
	if cfg.Log != nil {
		chain = append(chain, LogWith(*cfg.Log))
	}
	deadline := orDefault(cfg.Timeout, 100*time.Millisecond)
	chain = append(chain, Timeout(deadline))
	if cfg.Limit != nil {
		chain = append(chain, LimitWith(*cfg.Limit))
	}
	chain = append(chain, Recover())
	return func(next spoe.Handler) spoe.Handler {
		return &bounded{d: deadline, HandlerFunc: spoe.Chain(next, chain...).ServeSPOE}
	}
}

package middleware

import (
	"time"

	"github.com/spoke-go/spoke/spoe"
)

// DefaultConfig configures [Default]. The zero DefaultConfig is the same as none.
type DefaultConfig struct {
	Trace   TraceConfig
	Metrics MetricsConfig
	// Log writes a line for each message. Default: nil, which writes none, since
	// the agent logs failures itself.
	Log *LogConfig
	// Observers run inside of Trace, so that their context has the span, and outside of
	// Timeout, so that they see each outcome, also a timeout or a panic. The middleware
	// of package inspect is an observer. Default: none.
	Observers []spoe.Middleware
	// Limit is the maximum number of messages that are handled at once; see [Limit].
	// Default: 0, no Limit: the agent's MaxConcurrent bounds them and rejects no
	// message.
	Limit       int
	LimitConfig LimitConfig
}

// Default is a chain of the middleware that most agents need. From the outermost to the
// innermost:
//
//   - [Trace], so that everything inside has a span, and the log its ids;
//   - [Metrics], [Log], which see each outcome, also a timeout or a panic;
//   - Observers, for the same reason;
//   - [Timeout] of d, which includes the wait for Limit;
//   - [Limit], close to the service that it protects;
//   - [Recover], so that all of the above see a panic as an error with its stack.
//
// Put [Cache] and then [Coalesce] inside it, on the routes that need them. Put [Detach]
// outside, or on a route of its own.
//
// Default panics if d is not positive, or on more than one configuration.
func Default(d time.Duration, cfgs ...DefaultConfig) spoe.Middleware {
	cfg := only("Default", cfgs)
	chain := []spoe.Middleware{Trace(cfg.Trace), Metrics(cfg.Metrics)}
	if cfg.Log != nil {
		chain = append(chain, Log(*cfg.Log))
	}
	chain = append(chain, cfg.Observers...)
	chain = append(chain, Timeout(d))
	if cfg.Limit != 0 {
		chain = append(chain, Limit(cfg.Limit, cfg.LimitConfig))
	} else if cfg.LimitConfig != (LimitConfig{}) {
		panic("middleware: DefaultConfig has a LimitConfig and no Limit: write how many messages are handled at once into Limit")
	}
	chain = append(chain, Recover())
	return func(next spoe.Handler) spoe.Handler {
		return &bounded{d: d, HandlerFunc: spoe.Chain(next, chain...).ServeSPOE}
	}
}

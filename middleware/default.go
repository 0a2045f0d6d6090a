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
	// Timeout, so that they see the outcome of a message, whatever stops it. The
	// middleware of package inspect is one. Default: none.
	Observers []spoe.Middleware
	// Limit is how many messages are handled at once; see [Limit]. Default: 0,
	// which leaves Limit out, since the agent's MaxConcurrent bounds them without
	// turning any away.
	Limit       int
	LimitConfig LimitConfig
}

// Default is the middleware that most agents want, in an order in which it works.
// From the outermost to the innermost:
//
//   - [Trace], so that everything inside has a span, and the log its ids;
//   - [Metrics], [Log]: they see the outcome of a message, whatever stops it;
//   - Observers, the same;
//   - [Timeout] of d, so that waiting for Limit counts, too;
//   - [Limit], near to what it protects;
//   - [Recover], so that all of these see a panic as an error with its stack.
//
// Inside of it belong [Cache] and then [Coalesce], on the routes that want them.
// [Detach] belongs outside, or on a route of its own.
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

package middleware

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/spoke-go/spoke/internal/safetext"
	"github.com/spoke-go/spoke/internal/secret"
	"github.com/spoke-go/spoke/spoe"
)

// LogConfig configures [Log]. The zero LogConfig is the same as none.
type LogConfig struct {
	// Logger takes the lines. Default: slog.Default() at the time of each message.
	Logger *slog.Logger
	// Level is the level of successful messages. Default: slog.LevelInfo.
	Level slog.Level
	// Slow is the duration above which a handler's line is a warning. Default: 0, no
	// such warnings.
	Slow time.Duration
	// Every logs one of that number of successful messages, and all failed and slow
	// ones. Default: 1, all messages.
	Every int
	// PerSecond is the maximum number of lines per second for each outcome (ok, slow,
	// and each kind of error). The next line has the number of dropped lines in
	// left_out. Default: no limit.
	PerSecond int
	// Args names arguments to log. Default: none.
	Args []string
	// Vars logs the variables that the handler set.
	Vars bool
	// Secrets names arguments and variables whose values are not logged, in addition to
	// fields that are tagged secret.
	Secrets []string
}

// Log writes a line for each message: its name, the outcome, the duration of its wait
// and of its handler, the NOTIFY's ids, the span's ids if [Trace] is outside, and the
// error's text. It bounds and escapes texts from others.
//
// The level depends on the outcome: Level for ok and for canceled (HAProxy closed the
// connection, or the agent ended); warning for slow and failed messages; error for a
// panic. The agent's own log has failures too, with the stack of a panic.
//
// Log panics on a negative number, or on more than one configuration.
func Log(cfgs ...LogConfig) spoe.Middleware {
	cfg := only("Log", cfgs)
	if cfg.Every < 0 || cfg.PerSecond < 0 || cfg.Slow < 0 {
		panic(fmt.Sprintf("middleware: LogConfig{Every: %d, PerSecond: %d, Slow: %v}: write numbers above 0, or 0 for the defaults", cfg.Every, cfg.PerSecond, cfg.Slow))
	}
	cfg.Args = slices.Clone(cfg.Args)
	l := &logging{
		LogConfig: cfg, every: uint64(max(cfg.Every, 1)), secrets: secret.NewNames(cfg.Secrets),
		rates: methods[*rate]{make: func(string) *rate { return new(rate) }},
	}
	return func(next spoe.Handler) spoe.Handler {
		return spoe.HandlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
			start := time.Now()
			err := errPanicked
			defer func() { // a handler's panic passes through here; a logger's does not
				quietly(func() { l.log(ctx, msg, acts, start, err) })
			}()
			err = next.ServeSPOE(ctx, msg, acts)
			return err
		})
	}
}

type logging struct {
	LogConfig
	every   uint64
	good    atomic.Uint64 // successful messages
	rates   methods[*rate]
	secrets secret.Names
}

const (
	outcomeOK   = "ok"
	outcomeSlow = "slow"
)

// outcome returns the outcome of a message and the level of its line.
func (l *logging) outcome(err error, took time.Duration) (string, slog.Level) {
	if err == nil {
		if l.Slow > 0 && took > l.Slow {
			return outcomeSlow, slog.LevelWarn
		}
		return outcomeOK, l.Level
	}
	switch kind := errorType(err); kind {
	case "panic":
		return kind, slog.LevelError
	case "canceled":
		return kind, l.Level
	default:
		return kind, slog.LevelWarn
	}
}

func (l *logging) log(ctx context.Context, msg *spoe.Message, acts *spoe.Actions, start time.Time, err error) {
	now := time.Now()
	took := now.Sub(start)
	outcome, level := l.outcome(err, took)
	if outcome == outcomeOK && (l.good.Add(1)-1)%l.every != 0 {
		return
	}
	logger := l.Logger
	if logger == nil {
		logger = slog.Default()
	}
	if !logger.Enabled(ctx, level) {
		return
	}
	leftOut := 0
	if l.PerSecond > 0 {
		var ok bool
		if leftOut, ok = l.rates.get(outcome).take(now, l.PerSecond); !ok {
			return
		}
	}
	attrs := []slog.Attr{
		slog.String("message", safetext.Clip(msg.Name, maxMethodLength)),
		slog.String("outcome", outcome),
		slog.Duration("waited", start.Sub(msg.ReceivedAt())),
		slog.Duration("took", took),
		slog.Uint64("stream_id", msg.StreamID()),
		slog.Uint64("frame_id", msg.FrameID()),
	}
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		attrs = append(attrs, slog.String("trace_id", span.TraceID().String()), slog.String("span_id", span.SpanID().String()))
	}
	if leftOut > 0 {
		attrs = append(attrs, slog.Int("left_out", leftOut))
	}
	attrs = l.appendValues(attrs, msg, acts, err)
	if err != nil {
		attrs = append(attrs, slog.String("error", safetext.Error(err, maxErrShown)))
	}
	// The line is written after the ACK, so a slow log delays no visitor.
	ctx = context.WithoutCancel(ctx)
	msg.Report(func() {
		r := slog.NewRecord(now, level, "message", 0)
		r.AddAttrs(attrs...)
		_ = logger.Handler().Handle(ctx, r) // a failing log cannot report its failure
	})
}

func (l *logging) appendValues(attrs []slog.Attr, msg *spoe.Message, acts *spoe.Actions, err error) []slog.Attr {
	for _, name := range l.Args {
		if v, ok := msg.Args.Lookup(name); ok {
			text := redacted
			if !l.secrets.Arg(name) {
				text = shown(v)
			}
			attrs = append(attrs, slog.String("arg."+name, text))
		}
	}
	if !l.Vars || err != nil {
		return attrs
	}
	for act := range acts.All() {
		text := redacted
		switch {
		case act.Unset, act.Value.IsNull():
			text = "unset"
		case !l.secrets.Var(act.Scope, act.Name):
			text = shown(act.Value)
		}
		attrs = append(attrs, slog.String("var."+act.Scope.String()+"."+act.Name, text))
	}
	return attrs
}

// rate bounds the lines of one outcome.
type rate struct {
	mu      sync.Mutex // guards the fields below
	second  int64
	lines   int
	leftOut int
}

// take reports whether a line may be written now, and the number of lines left out
// since the last one.
func (r *rate) take(now time.Time, perSecond int) (leftOut int, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if second := now.Unix(); second != r.second {
		r.second, r.lines = second, 0
	}
	if r.lines >= perSecond {
		r.leftOut++
		return leftOut, false
	}
	r.lines++
	leftOut, r.leftOut = r.leftOut, 0
	return leftOut, true
}

// failureAttrs returns the attributes of a log line about a message that failed.
func failureAttrs(msg *spoe.Message, err error) []slog.Attr {
	attrs := []slog.Attr{
		slog.String("message", safetext.Clip(msg.Name, maxMethodLength)),
		slog.Uint64("stream_id", msg.StreamID()),
		slog.Uint64("frame_id", msg.FrameID()),
		slog.String("error", safetext.Error(err, maxErrShown)),
	}
	if p := panicOf(err); p != nil {
		attrs = append(attrs, slog.String("stack", safetext.Stack(p.Stack)))
	}
	return attrs
}

package spoe

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/spoke-go/spoke/internal/safetext"
	"github.com/spoke-go/spoke/spoe/internal/loglimit"
)

// log logs about the connection.
func (c *conn) log(level slog.Level, msg string, attrs ...slog.Attr) {
	h := c.haproxy.Load()
	attrs = append(attrs, slog.String("peer", addrString(h.peer)))
	if h.engineID != "" {
		attrs = append(attrs, slog.String("engine_id", h.engineID))
	}
	c.agent.logAttrs(level, msg, attrs...)
}

// logAttrs queues a line for the Logger. The reporter writes it: a slow log delays no ACK,
// and lines that do not fit into the queue are counted in Stats.ReportsDropped.
func (a *Agent) logAttrs(level slog.Level, msg string, attrs ...slog.Attr) {
	if !a.logs(level) {
		return
	}
	l := a.log()
	for i := range attrs {
		attrs[i] = safeAttr(attrs[i])
	}
	at := time.Now()
	a.shared.logs.Add(func() {
		r := slog.NewRecord(at, level, "spoe: "+msg, 0)
		r.AddAttrs(attrs...)
		_ = l.Handler().Handle(context.Background(), r) // an error of the log cannot be logged
	})
}

// logs reports whether the Logger takes lines of this level. A Logger that panics takes none.
func (a *Agent) logs(level slog.Level) bool {
	defer func() { _ = recover() }()
	return a.log().Enabled(context.Background(), level)
}

// maxText bounds text that others wrote, in bytes.
const maxText = 1024

// stack is a goroutine's stack, for safeAttr.
type stack []byte

// safeAttr makes an attribute's text fit for a log. An error is turned into its
// text now: its methods are its author's, and what it refers to may change.
func safeAttr(a slog.Attr) slog.Attr {
	switch v := a.Value.Any().(type) {
	case string:
		a.Value = slog.StringValue(safetext.Clip(v, maxText))
	case stack:
		a.Value = slog.StringValue(safetext.Stack(v))
	case error:
		a.Value = slog.StringValue(safetext.Error(v, maxText))
	case uint64, int64, bool, time.Duration:
	default:
		a.Value = slog.StringValue(safetext.Clip(fmt.Sprint(v), maxText))
	}
	return a
}

// complain logs an abnormal end of a connection. A port scan, or a HAProxy up to 3.0 that
// is refused and connects again at once, causes a thousand of them a second.
func (c *conn) complain(msg string, attrs ...slog.Attr) {
	c.logSome(&c.shared.connLog, slog.LevelWarn, msg, attrs...)
}

// logFailure logs a failed message. When a service that handlers need is down, all messages
// fail.
func (j *job) logFailure(err error, p *PanicError) {
	level := slog.LevelWarn
	attrs := []slog.Attr{
		slog.String("message", j.name),
		slog.Uint64("stream_id", j.streamID), slog.Uint64("frame_id", j.frameID),
		slog.Any("error", err),
	}
	if p != nil {
		level = slog.LevelError
		attrs = append(attrs, slog.Any("stack", stack(p.Stack)))
	}
	j.c.logSome(&j.c.shared.failureLog, level, "message failed", attrs...)
}

// logSome logs as often as some allows, and counts the lines that it left out.
func (c *conn) logSome(some *loglimit.Limit, level slog.Level, msg string, attrs ...slog.Attr) {
	if !c.agent.logs(level) {
		return
	}
	ok, left := some.Take(time.Now())
	if !ok {
		return
	}
	if left > 0 {
		attrs = append(attrs, slog.Uint64("not_logged_before", left))
	}
	c.log(level, msg, attrs...)
}

const (
	connLines    = 10  // about connections, a second
	failureLines = 100 // about messages, a second
)

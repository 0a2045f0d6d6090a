package spoe

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// log logs about the connection.
func (c *conn) log(level slog.Level, msg string, attrs ...slog.Attr) {
	l := c.agent.log()
	if !l.Enabled(context.Background(), level) {
		return
	}
	attrs = append(attrs, slog.String("peer", addrString(c.peer)))
	if c.engineID != "" {
		attrs = append(attrs, slog.String("engine_id", c.engineID))
	}
	l.LogAttrs(context.Background(), level, "spoe: "+msg, attrs...)
}

// complain logs that a connection has ended otherwise than it should. A port
// scan, or a HAProxy up to 3.0 that is refused and comes again at once, does so
// a thousand times a second: some are logged, and then how many were not.
func (c *conn) complain(msg string, attrs ...slog.Attr) {
	ok, left := c.eng.complaints.take(time.Now())
	if !ok {
		return
	}
	if left > 0 {
		attrs = append(attrs, slog.Uint64("not_logged_before", left))
	}
	c.log(slog.LevelWarn, msg, attrs...)
}

// complaints lets maxComplaints pass in complaintSpan.
type complaints struct {
	mu      sync.Mutex // guards what follows
	since   time.Time
	passed  int
	skipped uint64
}

const (
	maxComplaints = 10
	complaintSpan = 10 * time.Second
)

// take tells whether one more may pass, and how many have not since the last.
func (k *complaints) take(t time.Time) (ok bool, skipped uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if t.Sub(k.since) >= complaintSpan {
		k.since, k.passed = t, 0
	}
	if k.passed == maxComplaints {
		k.skipped++
		return false, 0
	}
	k.passed++
	skipped, k.skipped = k.skipped, 0
	return true, skipped
}

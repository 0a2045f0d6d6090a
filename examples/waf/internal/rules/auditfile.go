package rules

import (
	"os"
	"sync"
	"time"

	"github.com/corazawaf/coraza/v3/experimental/plugins"
	"github.com/corazawaf/coraza/v3/experimental/plugins/plugintypes"
)

// maxWaiting is how much of an audit log waits for its file at most, in bytes.
const maxWaiting = 16 << 20

// An audit log of the type Serial is written behind the verdict: a file that is slow, such
// as standard output without a reader, holds up no transaction.
func init() {
	plugins.RegisterAuditLogWriter("serial", func() plugintypes.AuditLogWriter { return &auditFile{} })
}

// auditFile writes the audit log of a set of rules.
type auditFile struct {
	format plugintypes.AuditLogFormatter
	file   *os.File
	queue  *auditQueue
}

// Init implements plugintypes.AuditLogWriter.
func (a *auditFile) Init(c plugintypes.AuditLogConfig) (err error) {
	switch c.Target {
	case "":
		return nil
	case "/dev/stdout":
		a.file = os.Stdout
	case "/dev/stderr":
		a.file = os.Stderr
	default:
		if a.file, err = os.OpenFile(c.Target, os.O_APPEND|os.O_CREATE|os.O_WRONLY, c.FileMode); err != nil {
			return err
		}
	}
	a.format = c.Formatter
	queue, _ := auditQueues.LoadOrStore(c.Target, &auditQueue{})
	a.queue = queue.(*auditQueue)
	return nil
}

// Write implements plugintypes.AuditLogWriter.
func (a *auditFile) Write(log plugintypes.AuditLog) error {
	if a.queue == nil {
		return nil
	}
	text, err := a.format.Format(log)
	if err == nil && len(text) > 0 {
		a.queue.add(auditEntry{a.file, append(text, '\n')})
	}
	return err
}

// Close implements plugintypes.AuditLogWriter. Coraza does not call it: the garbage
// collector closes the file.
func (a *auditFile) Close() error { return nil }

// auditQueues has the *auditQueue of each path.
var auditQueues sync.Map

// auditQueue has the entries that wait for a file.
type auditQueue struct {
	mu      sync.Mutex // guards what follows
	waiting []auditEntry
	size    int           // bytes that wait or are being written
	written chan struct{} // closed when nothing waits; nil where nothing does
	lost    int64
}

type auditEntry struct {
	file *os.File
	text []byte
}

// add queues an entry for the file, or drops it where too much waits.
func (q *auditQueue) add(e auditEntry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.size+len(e.text) > maxWaiting {
		q.lost++
		return
	}
	q.waiting, q.size = append(q.waiting, e), q.size+len(e.text)
	if q.written == nil {
		q.written = make(chan struct{})
		go q.write() // ends when nothing waits; FlushAudit waits for it
	}
}

// write writes entries until none waits.
func (q *auditQueue) write() {
	for {
		q.mu.Lock()
		entries := q.waiting
		q.waiting = nil
		if len(entries) == 0 {
			close(q.written)
			q.written = nil
			q.mu.Unlock()
			return
		}
		q.mu.Unlock()
		for _, e := range entries {
			_, err := e.file.Write(e.text)
			q.mu.Lock()
			q.size -= len(e.text)
			if err != nil {
				q.lost++
			}
			q.mu.Unlock()
		}
	}
}

// FlushAudit waits until the audit logs are written, for that long at most.
func FlushAudit(limit time.Duration) {
	end := time.NewTimer(limit)
	defer end.Stop()
	for _, q := range auditQueues.Range {
		q := q.(*auditQueue)
		q.mu.Lock()
		written := q.written
		q.mu.Unlock()
		if written == nil {
			continue
		}
		select {
		case <-written:
		case <-end.C:
			return
		}
	}
}

// AuditLost returns how many entries of audit logs were not written, as the file took none
// or too many waited for it.
func AuditLost() (n int64) {
	for _, q := range auditQueues.Range {
		q := q.(*auditQueue)
		q.mu.Lock()
		n += q.lost
		q.mu.Unlock()
	}
	return n
}

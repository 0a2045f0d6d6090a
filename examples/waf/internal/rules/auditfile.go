package rules

import (
	"os"
	"sync"
	"time"

	"github.com/corazawaf/coraza/v3/experimental/plugins"
	"github.com/corazawaf/coraza/v3/experimental/plugins/plugintypes"

	"github.com/spoke-go/spoke/internal/latewriter"
)

// maxWaiting is the maximum size of the queue in front of a file, in bytes.
const maxWaiting = 16 << 20

// An audit log of the type Serial is written after the verdict: a slow file, such as
// standard output without a reader, delays no transaction.
func init() {
	plugins.RegisterAuditLogWriter("serial", func() plugintypes.AuditLogWriter { return &auditFile{} })
}

// auditFile writes the audit log of a set of rules.
type auditFile struct {
	format plugintypes.AuditLogFormatter
	file   *os.File
	queue  *latewriter.Writer
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
	queue, _ := auditQueues.LoadOrStore(c.Target, latewriter.New(nil, maxWaiting))
	a.queue = queue.(*latewriter.Writer)
	return nil
}

// Write implements plugintypes.AuditLogWriter.
func (a *auditFile) Write(log plugintypes.AuditLog) error {
	if a.queue == nil {
		return nil
	}
	text, err := a.format.Format(log)
	if err == nil && len(text) > 0 {
		a.queue.Queue(a.file, append(text, '\n'))
	}
	return err
}

// Close implements plugintypes.AuditLogWriter. Coraza does not call it: the garbage
// collector closes the file.
func (a *auditFile) Close() error { return nil }

// auditQueues has the *latewriter.Writer of each path.
var auditQueues sync.Map

// FlushAudit waits until the audit logs are written, for that long at most.
func FlushAudit(limit time.Duration) {
	end := time.Now().Add(limit)
	for _, q := range auditQueues.Range {
		q.(*latewriter.Writer).Flush(time.Until(end))
	}
}

// AuditLost returns how many entries of audit logs were not written, as the file took none
// or too many waited for it.
func AuditLost() (n int64) {
	for _, q := range auditQueues.Range {
		n += q.(*latewriter.Writer).Lost()
	}
	return n
}

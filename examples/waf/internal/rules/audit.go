package rules

import (
	"encoding/json"
	"sync"

	"github.com/corazawaf/coraza/v3/experimental/plugins"
	"github.com/corazawaf/coraza/v3/experimental/plugins/plugintypes"
	"github.com/corazawaf/coraza/v3/types"
)

// recordsFormat is the name of Coraza's JSON that also goes to the func of Log.
const recordsFormat = "records"

func init() { plugins.RegisterAuditLogFormatter(recordsFormat, formatter{}) }

// Entry is an entry of the audit log, with its JSON.
type Entry struct {
	plugintypes.AuditLog
	JSON []byte
}

// Log runs the rules of a transaction's last phase and writes the audit log. If rules
// with Source.Records select the transaction for it, Log calls record.
func Log(tx types.Transaction, record func(Entry)) {
	// Coraza's formatters are global and get the entry alone, which has the id.
	recorders.Store(tx.ID(), record)
	defer recorders.Delete(tx.ID())
	tx.ProcessLogging()
}

// recorders are the funcs of Log, by the transaction's id.
var recorders sync.Map

type formatter struct{}

func (formatter) Format(log plugintypes.AuditLog) ([]byte, error) {
	text, err := json.Marshal(log)
	if record, ok := recorders.Load(log.Transaction().ID()); ok && err == nil {
		record.(func(Entry))(Entry{log, text})
	}
	return text, err
}

func (formatter) MIME() string { return "application/json; charset=utf-8" }

package rules

import (
	"encoding/json"
	"slices"
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
// with Source.Records select the transaction for it, Log calls record: this one, or that
// of another transaction with the same id, so record must not use the transaction.
func Log(tx types.Transaction, record func(Entry)) {
	// Coraza's formatters are global and get the entry alone, which has the id.
	defer recorders.add(tx.ID(), record)()
	tx.ProcessLogging()
}

// recorders are the funcs of Log, by the transaction's id. Several transactions have one
// id if HAProxy's unique-id is not unique.
var recorders recorderMap

type recorderMap struct {
	mu   sync.Mutex // guards byID
	byID map[string][]*func(Entry)
}

// add adds a func, which the returned one removes.
func (m *recorderMap) add(id string, record func(Entry)) (remove func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.byID == nil {
		m.byID = make(map[string][]*func(Entry))
	}
	m.byID[id] = append(m.byID[id], &record)
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.byID[id] = slices.DeleteFunc(m.byID[id], func(other *func(Entry)) bool { return other == &record })
		if len(m.byID[id]) == 0 {
			delete(m.byID, id)
		}
	}
}

// find returns a func of the id, or nil.
func (m *recorderMap) find(id string) func(Entry) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if all := m.byID[id]; len(all) > 0 {
		return *all[0]
	}
	return nil
}

type formatter struct{}

func (formatter) Format(log plugintypes.AuditLog) ([]byte, error) {
	text, err := json.Marshal(log)
	if record := recorders.find(log.Transaction().ID()); record != nil && err == nil {
		record(Entry{log, text})
	}
	return text, err
}

func (formatter) MIME() string { return "application/json; charset=utf-8" }

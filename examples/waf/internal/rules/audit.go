package rules

import (
	"encoding/json"
	"slices"
	"sync"

	"github.com/corazawaf/coraza/v3/experimental/plugins"
	"github.com/corazawaf/coraza/v3/experimental/plugins/plugintypes"
)

// recordsFormat is the name of Coraza's JSON that Transaction.Log returns.
const recordsFormat = "records"

func init() { plugins.RegisterAuditLogFormatter(recordsFormat, formatter{}) }

// Entry is an entry of the audit log, with its JSON.
type Entry struct {
	plugintypes.AuditLog
	JSON []byte
}

// Log runs the rules of the last phase and writes the audit log. With Source.Records it also
// returns the entry, if the rules select the transaction for one. Of transactions with the
// same id, whose HAProxy's unique-id is not unique, one may get the entries of the others.
func (t Transaction) Log() (entries []Entry) {
	if !t.set.records {
		t.ProcessLogging()
		return nil
	}
	// Coraza's formatters are global and get the entry alone, which has the id.
	logging.add(t.ID(), &entries)
	defer logging.remove(t.ID(), &entries)
	t.ProcessLogging()
	return entries
}

// logging are the calls of Log that have not returned.
var logging calls

type calls struct {
	mu   sync.Mutex // guards byID and the entries
	byID map[string][]*[]Entry
}

func (c *calls) add(id string, entries *[]Entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byID == nil {
		c.byID = make(map[string][]*[]Entry)
	}
	c.byID[id] = append(c.byID[id], entries)
}

func (c *calls) remove(id string, entries *[]Entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.byID[id] = slices.DeleteFunc(c.byID[id], func(other *[]Entry) bool { return other == entries })
	if len(c.byID[id]) == 0 {
		delete(c.byID, id)
	}
}

// found gives an entry to a call that has its id.
func (c *calls) found(e Entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if all := c.byID[e.Transaction().ID()]; len(all) > 0 {
		*all[0] = append(*all[0], e)
	}
}

type formatter struct{}

func (formatter) Format(log plugintypes.AuditLog) ([]byte, error) {
	text, err := json.Marshal(log)
	if err == nil {
		logging.found(Entry{log, text})
	}
	return text, err
}

func (formatter) MIME() string { return "application/json; charset=utf-8" }

package rules

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRecordsOfOneID: transactions with the same id, which a visitor may be able to
// choose, lose no record.
func TestRecordsOfOneID(t *testing.T) {
	set, err := Compile(Source{Records: true, Directives: "SecRuleEngine On\nSecAuditEngine On\nSecAuditLogParts AZ\nSecAction \"id:1,phase:1,pass,nolog\"\n"})
	require.NoError(t, err)
	defer set.Close(nil)
	const transactions = 2000
	var records atomic.Int64
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for range transactions / 8 {
				tx := set.Begin("chosen")
				for _, e := range tx.Log() {
					assert.Contains(t, string(e.JSON), "chosen")
					records.Add(1)
				}
				assert.NoError(t, tx.Close())
			}
		})
	}
	workers.Wait()
	assert.EqualValues(t, transactions, records.Load())
	assert.Empty(t, logging.byID)
}

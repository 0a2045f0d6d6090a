package rules

import (
	"iter"
	"strconv"

	"github.com/corazawaf/coraza/v3/experimental/plugins/plugintypes"
	"github.com/corazawaf/coraza/v3/types"
)

// Transaction is a request with its response, as the rules see them. One goroutine at a
// time may use it.
type Transaction struct {
	types.Transaction
	set *Set
}

// Begin begins a transaction. It must be closed.
func (s *Set) Begin(id string) Transaction {
	s.open.Add(1)
	return Transaction{s.waf.NewTransactionWithID(id), s}
}

// RequestBody runs the rules of a request's body.
func (t Transaction) RequestBody(body []byte) error {
	return t.body(body, t.WriteRequestBody, t.ProcessRequestBody)
}

// ResponseBody runs the rules of a response's body.
func (t Transaction) ResponseBody(body []byte) error {
	return t.body(body, t.WriteResponseBody, t.ProcessResponseBody)
}

func (t Transaction) body(body []byte, write func([]byte) (*types.Interruption, int, error), process func() (*types.Interruption, error)) error {
	_, _, err := write(body) // which may run the rules, if the body is too long
	if err == nil && !t.IsInterrupted() {
		_, err = process()
	}
	return err
}

// Close frees the transaction.
func (t Transaction) Close() error {
	defer t.set.release()
	return t.Transaction.Close()
}

// Hits are the rules that matched and log.
func (t Transaction) Hits() iter.Seq[Hit] {
	return func(yield func(Hit) bool) {
		for _, rule := range t.MatchedRules() {
			if l, ok := rule.(interface{ Log() bool }); ok && l.Log() && !yield(Hit{rule}) {
				return
			}
		}
	}
}

// Score returns a score of the Core Rule Set by the name of its variable, such as
// blocking_inbound_anomaly_score; 0 if the rules have not set it.
func (t Transaction) Score(name string) (score int) {
	if s, ok := t.Transaction.(plugintypes.TransactionState); ok {
		if values := s.Variables().TX().Get(name); len(values) > 0 {
			score, _ = strconv.Atoi(values[0])
		}
	}
	return score
}

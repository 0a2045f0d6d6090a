// Package pair keeps a value from one message of a stream to a later one: from a
// request to its response, or from a connection to its requests.
//
// HAProxy sends the two messages separately. The handler of the first puts the value into a
// [Store] and answers with its key as a variable. HAProxy sends the variable back as an
// argument of the second message, whose handler takes the value. With an agent whose
// variables begin with "waf":
//
//	type Verdict struct {
//		Tx string `spoe:"tx"` // sets txn.waf.tx
//	}
//
//	type Response struct {
//		Tx     pair.Key `spoe:"tx" fetch:"var(txn.waf.tx)"`
//		Status int      `spoe:"status" fetch:"status"`
//	}
//
// A response may never come, so a value leaves the store in one of four ways: it is taken,
// it expires, newer values take its place, or the store is closed. The store bounds the
// time, number and bytes of its values, and calls [Config.Evicted] exactly once for each
// value that Take did not return.
//
// With several agents, HAProxy must send the second message to the agent that has the
// value: haproxy.Config.Affinity writes the rules for that. At the end of an agent,
// [Store.Drain] waits for the later messages, see spoe.Agent.Drain. Decide in the handler
// of the second message what to do if Take finds nothing: refuse the response, or start
// again from the arguments.
package pair

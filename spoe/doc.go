// Package spoe runs agents for HAProxy's Stream Processing Offload Engine. It
// speaks SPOP 2.0 (SPOE.txt) with HAProxy 2.0 and later: HAProxy sends a NOTIFY
// with messages, the agent has a [Handler] answer them and acknowledges the
// NOTIFY with actions, which set HAProxy's variables.
//
//	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
//	defer stop()
//	err := spoe.ListenAndServe(ctx, "127.0.0.1:9000", spoe.HandlerFunc(
//		func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
//			ip, _ := msg.Args.Lookup("ip")
//			addr, _ := ip.Addr()
//			return acts.SetBool(spoe.VarScopeTransaction, "listed", listed(addr))
//		}))
//
// Most agents use package router, which dispatches messages to handlers by name
// and decodes their arguments into structs, and package middleware for timeouts,
// tracing and more. Package spoe/spoetest tests agents without a HAProxy, package
// spoe/spoetest/haproxytest with one.
//
// # Life of an agent
//
// [Agent.Run] listens until its context ends, and then shuts down without
// losing a NOTIFY: see [Agent.Shutdown] for the steps. Serve, ListenAndServe,
// Shutdown and Close are there as in net/http.
//
// # Life of a NOTIFY
//
// A goroutine per connection reads frames. A NOTIFY is copied and checked as a
// whole; a malformed one ends the connection with an AGENT-DISCONNECT, and no
// handler sees it. Workers, goroutines that are kept for the next NOTIFYs, handle
// its messages in order; there is always one for a NOTIFY that waits, so that a
// slow handler delays nobody else. Its ACK leaves when the last message is done,
// or at the deadline.
//
// There is exactly one ACK for a NOTIFY, whatever handlers do: one that fails
// or panics loses its own actions, one that is late is left behind. An ACK waits
// for its handlers and for the socket only: log lines, [Agent.ConnState] and
// [Message.Report] are called by goroutines that nothing waits for.
//
// # Life of a connection
//
//	greeting ──► open ──► retiring ──► closing ──► closed
//
// A connection is greeting until its HAPROXY-HELLO has been answered, and open
// from then on. It is retiring once it is to be closed, by Shutdown or for its
// age: it still answers, and at a quiet moment the agent sends AGENT-DISCONNECT.
// Then it is closing, until HAProxy has closed it or a second has passed.
//
// # What may be kept
//
// A [Message], its Args and the Values from them, and the [Actions] are valid
// until the handler returns; Message.Clone and Value.Clone make copies to keep.
// Strings, and what a struct was bound to, are safe to keep.
package spoe

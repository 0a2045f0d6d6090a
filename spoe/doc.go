// Package spoe runs agents for HAProxy's Stream Processing Offload Engine. It speaks SPOP
// 2.0 (SPOE.txt) with HAProxy 2.0 and later: HAProxy sends a NOTIFY with messages, a
// [Handler] answers them, and the agent acknowledges the NOTIFY with actions, which set
// HAProxy's variables.
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
// A goroutine per connection reads frames. A NOTIFY is copied and checked as a whole; a
// malformed one ends the connection with an AGENT-DISCONNECT, and no handler sees it.
// Workers, goroutines that are kept for the next NOTIFYs, handle its messages in order;
// there is always one for a NOTIFY that waits, so a slow handler delays no other NOTIFY.
// The ACK leaves after the last message, or at the deadline.
//
// There is exactly one ACK for a NOTIFY. A handler that fails or panics loses its own
// actions; at the deadline the ACK does not wait for a late handler. An ACK waits for its
// handlers and for the socket only: other goroutines write log lines and call
// [Agent.ConnState] and the functions of [Message.Report].
//
// # Who wakes whom
//
// The kernel wakes the reader; on a quiet connection, a goroutine with a small stack waits
// in its place. The reader queues the NOTIFYs of one read and wakes one
// worker, which handles them one after the other. Before it enters a handler with work
// left behind it, it wakes one more worker: that one takes over if the handler takes long,
// and finds nothing to do if it does not. The worker that finds the queue empty writes all
// ACKs that are ready. Where handlers compute and keep every processor, a worker writes
// before it enters the next handler. One timer of the connection wakes what is late.
//
// # Life of a connection
//
//	greeting ──► open ──► retiring ──► closing ──► closed
//
// A connection is greeting until the agent answers its HAPROXY-HELLO, and open from then
// on. Shutdown or its age makes it retiring: it still answers, and at a quiet moment the
// agent sends AGENT-DISCONNECT, or with an ACK if the connection is never quiet. Then it
// is closing, until HAProxy has closed it or a second has passed. A health check, a
// timeout, malformed bytes and a HAPROXY-DISCONNECT make it closing at once. A connection
// that breaks, and one that [Agent.Close] ends, is closed at once.
//
// # What may be kept
//
// A [Message], its Args and the Values from them, and the [Actions] are valid until the
// handler returns; Message.Clone and Value.Clone make copies to keep. Strings and bound
// structs are safe to keep.
package spoe

// Package load is a load generator for SPOE agents: HAProxy's side of many connections,
// from one thread. It speaks to the sockets by system calls of its own (epoll), so that
// it is faster than any agent on Go's net package and does not limit the measurement.
// It sends NOTIFYs encoded beforehand and checks that each is answered exactly once,
// with its stream-id and frame-id and, where a Message says so, with the right actions.
//
// Pipeline keeps connections full, or sends at a rate of its own, whatever the
// agent does. Idle opens connections and leaves them alone. Slow is a crowd of
// clients that write and read a few bytes at a time. All three are for Linux,
// and each call has one thread to itself.
//
//	result, err := load.Pipeline(ctx, load.Config{
//		Network: "tcp", Addr: "127.0.0.1:9000",
//		Messages: []load.Message{{Notify: payload}},
//		Conns:    8, InFlight: 16, Window: 2 * time.Second,
//	})
package load

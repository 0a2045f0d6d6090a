package spoe_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"

	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// An agent without a router: its handler reads each message itself, and it ends gracefully
// with its context. A program's ctx comes from signal.NotifyContext.
func Example() {
	listed := netip.MustParsePrefix("192.0.2.0/24")
	agent := &spoe.Agent{
		Logger: slog.New(slog.DiscardHandler),
		Handler: spoe.HandlerFunc(func(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
			ip, _ := msg.Args.Lookup("ip")
			addr, ok := ip.Addr()
			if !ok {
				return fmt.Errorf("message %s: the argument ip is %s, no address", msg.Name, ip.Type())
			}
			return acts.SetBool(spoe.VarScopeTransaction, "listed", listed.Contains(addr))
		}),
	}
	ln, err := spoe.Listen("127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- agent.Run(ctx, ln) }()

	haproxy, err := spoetest.Dial(ctx, "tcp", ln.Addr().String()) // in the place of HAProxy
	if err != nil {
		panic(err)
	}
	vars, err := haproxy.Ask(ctx, "ip-rep", spoetest.Arg("ip", netip.MustParseAddr("192.0.2.66")))
	fmt.Println(vars, err)
	haproxy.Close()

	stop()
	fmt.Println(<-ended, agent.Stats().Acks)
	// Output:
	// txn.listed=true <nil>
	// <nil> 1
}

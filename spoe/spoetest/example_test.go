package spoetest_test

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"testing"

	"github.com/spoke-go/spoke/spoe/spoetest/conformance"

	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// inExample stands for the *testing.T that a test of yours has.
type inExample struct {
	testing.TB
	ends []func()
}

func (*inExample) Helper()                      {}
func (*inExample) Context() context.Context     { return context.Background() }
func (*inExample) Output() io.Writer            { return io.Discard }
func (t *inExample) Cleanup(f func())           { t.ends = append(t.ends, f) }
func (*inExample) Errorf(text string, a ...any) { panic(fmt.Sprintf(text, a...)) }
func (*inExample) Fatal(a ...any)               { panic(fmt.Sprint(a...)) }

func ExampleNew() {
	score := spoe.HandlerFunc(func(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
		ip, _ := msg.Args.Lookup("ip")
		if a, ok := ip.Addr(); ok && a.IsPrivate() {
			return acts.SetInt(spoe.VarScopeSession, "ip_score", 0)
		}
		return acts.SetInt(spoe.VarScopeSession, "ip_score", 90)
	})
	t := new(inExample) // func TestIPRep(t *testing.T)

	haproxy := spoetest.New(t, score)
	fmt.Println(haproxy.Ask("ip-rep", spoetest.Arg("ip", netip.MustParseAddr("192.0.2.1"))))
	fmt.Println(haproxy.Ask("ip-rep", spoetest.Arg("ip", netip.MustParseAddr("10.0.0.1"))))

	for _, end := range t.ends { // a test does it by itself
		end()
	}
	// Output:
	// sess.ip_score=90
	// sess.ip_score=0
}

// A HAProxy of its own against any agent, one step after the other.
func ExampleDial() {
	ctx, cancel := context.WithCancel(context.Background())
	ln, err := spoe.Listen("127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	ended := make(chan error)
	go func() { ended <- (&spoe.Agent{Handler: conformance.ContractHandler()}).Run(ctx, ln) }()

	haproxy, err := spoetest.Dial(ctx, "tcp", ln.Addr().String())
	if err != nil {
		panic(err)
	}
	fmt.Println(haproxy.AgentHello().Capabilities)
	first, _ := haproxy.Notify(ctx, spoetest.Msg("echo", spoetest.Arg("n", 1)))
	second, _ := haproxy.NotifyFragments(ctx, 4, spoetest.Msg("echo", spoetest.Arg("n", 2)))
	for _, id := range []spoetest.ID{second, first} {
		ack, err := haproxy.Ack(ctx, id)
		if err != nil {
			panic(err)
		}
		vars, err := ack.Vars()
		fmt.Println(id, vars, err)
	}
	bye, err := haproxy.Disconnect(ctx, 0, "done")
	fmt.Println(bye.Status, err)
	haproxy.Close()
	cancel()
	fmt.Println(<-ended)
	// Output:
	// pipelining,fragmentation
	// 3/1 txn.n=2 <nil>
	// 1/1 txn.n=1 <nil>
	// normal <nil>
	// <nil>
}

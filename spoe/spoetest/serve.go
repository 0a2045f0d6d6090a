package spoetest

import (
	"context"
	"testing"

	"github.com/spoke-go/spoke/spoe"
)

// Serve runs an agent with this handler, which may be a router, on a free port of
// 127.0.0.1 until the test ends, and returns its address, for HAProxyConfig.Agent:
//
//	h := haproxytest.Start(t, bin, haproxytest.Config{Agent: spoetest.Serve(t, router), …})
//
// The agent's log goes to the test's. It ends as [NewAgent]'s does.
func Serve(tb testing.TB, h spoe.Handler) (addr string) {
	tb.Helper()
	ln, err := spoe.Listen("127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	a := agentOf(tb, h)
	ended := make(chan error, 1)
	// It ends with the agent's Close; the cleanup waits for it.
	go func() { ended <- a.Run(context.Background(), ln) }()
	tb.Cleanup(func() { endAgent(tb, a, ended) })
	return ln.Addr().String()
}

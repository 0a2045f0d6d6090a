package spoe_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// computingAgent, in the environment, makes the test binary an agent that computes.
const computingAgent = "SPOKE_TEST_COMPUTING_AGENT"

// computeMost is the time that its handler computes if no other handler runs meanwhile.
// It is shorter than the 3 s after which a connection's own timer would wake Go's
// monitor thread.
const computeMost = time.Second

// serveComputing runs the agent until its standard input ends. "quick" answers at once;
// "compute" computes until the agent handles a "quick", a second at most, and reports
// whether it did.
func serveComputing() error {
	ln, err := spoe.Listen("127.0.0.1:0")
	if err != nil {
		return err
	}
	var quick atomic.Uint64
	a := &spoe.Agent{
		Logger: slog.New(slog.DiscardHandler),
		Handler: byName{
			"quick": func(context.Context, *spoe.Message, *spoe.Actions) error {
				quick.Add(1)
				return nil
			},
			"compute": func(_ context.Context, _ *spoe.Message, acts *spoe.Actions) error {
				before, start := quick.Load(), time.Now()
				for quick.Load() == before && time.Since(start) < computeMost {
				}
				return acts.SetBool(spoe.VarScopeTransaction, "preempted", quick.Load() != before)
			},
		},
	}
	fmt.Println(ln.Addr())
	served := make(chan error, 1)
	go func() { served <- a.Serve(ln) }() // ends with Close
	_, _ = io.Copy(io.Discard, os.Stdin)
	a.Close()
	<-served
	return nil
}

// An agent on one processor answers other NOTIFYs while a handler computes: Go's monitor
// thread preempts it, which the agent has to keep awake. The agent is a process of its
// own, in which nothing else wakes that thread. In a round that fails, no other NOTIFY
// is handled in a second of computing; a preemption takes some 10 ms.
func TestComputingHandlerIsPreempted(t *testing.T) {
	const rounds = 9
	for _, tt := range []struct {
		name   string
		loaded int           // connections with a NOTIFY in flight all the time
		pause  time.Duration // before each round
	}{{"under load", 4, 20 * time.Millisecond}, {"after a pause", 0, 100 * time.Millisecond}} {
		t.Run(tt.name, func(t *testing.T) {
			addr := startComputing(t)
			computing, other := dialComputing(t, addr), dialComputing(t, addr)
			var load sync.WaitGroup
			defer load.Wait()
			stop := make(chan struct{})
			defer close(stop)
			for range tt.loaded {
				c := dialComputing(t, addr)
				load.Go(func() { askUntil(t, c, stop) })
			}
			preempted := 0
			for range rounds {
				time.Sleep(tt.pause)
				done := make(chan struct{})
				var others sync.WaitGroup
				others.Go(func() { askUntil(t, other, done) })
				vars, err := computing.Ask(context.Background(), "compute")
				close(done)
				others.Wait()
				require.NoError(t, err)
				if vars.Bool("txn.preempted") {
					preempted++
				}
			}
			assert.GreaterOrEqual(t, preempted, 2*rounds/3, "rounds in which another NOTIFY was handled while one computed")
		})
	}
}

// askUntil asks, one NOTIFY after the other, until stop is closed.
func askUntil(t *testing.T, c *spoetest.Client, stop <-chan struct{}) {
	for {
		if _, err := c.Ask(context.Background(), "quick"); !assert.NoError(t, err) {
			return
		}
		select {
		case <-stop:
			return
		default:
		}
	}
}

// startComputing starts the agent and returns its address.
func startComputing(t *testing.T) string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), computingAgent+"=1", "GOMAXPROCS=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		in.Close()
		assert.NoError(t, cmd.Wait())
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	return strings.TrimSpace(line)
}

func dialComputing(t *testing.T, addr string) *spoetest.Client {
	t.Helper()
	c, err := (&spoetest.Dialer{Timeout: time.Minute}).Dial(t.Context(), "tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { c.Conn().Close() })
	return c
}

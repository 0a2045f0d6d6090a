package servicetest

import (
	"context"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/spoke-go/spoke/service"
)

// Agent is a program that runs: in the test's own process, or by [Run].
type Agent struct {
	Log, Out *Buffer        // standard error and standard output
	Reload   chan os.Signal // a SIGHUP; nil for a process
	Stop     func()         // SIGTERM
	Ended    chan int       // receives the exit status
}

// Start runs an agent with these flags, on free addresses of this machine, until Stop
// or the end of the test.
func Start[C any](t testing.TB, a service.Agent[C], flags ...string) *Agent {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	r := &Agent{Log: NewBuffer(), Out: NewBuffer(), Reload: make(chan os.Signal, 1), Stop: stop, Ended: make(chan int, 1)}
	var done sync.WaitGroup
	done.Go(func() { // ends with ctx
		r.Ended <- a.Run(ctx, service.Process{Args: withDefaults(flags), Reload: r.Reload, Stdout: r.Out, Stderr: r.Log})
	})
	r.endWith(t, &done)
	return r
}

// withDefaults adds flags so that other tests do not notice the agent; of a repeated
// flag the last counts.
func withDefaults(flags []string) []string {
	return append([]string{"-listen", "127.0.0.1:0", "-admin-listen", "127.0.0.1:0", "-shutdown-timeout", "2s"}, flags...)
}

func (a *Agent) endWith(t testing.TB, done *sync.WaitGroup) {
	t.Cleanup(func() {
		a.Stop()
		done.Wait()
		if t.Failed() {
			t.Logf("the agent wrote:\n%s\nand on standard output:\n%s", a.Log, a.Out)
		}
	})
}

// Addr waits until the agent is ready, and returns the address for HAProxy.
func (a *Agent) Addr(t testing.TB) string {
	t.Helper()
	return a.Log.Wait(t, `(?:msg=ready addresses="?\[|"msg":"ready","addresses":\[")([^\]\s"]+)`)[1]
}

// Admin waits until the agent has its admin address, and returns its URL, without a
// path.
func (a *Agent) Admin(t testing.TB) string {
	t.Helper()
	return "http://" + a.Log.Wait(t, `(?:msg=admin address=|"msg":"admin","address":")([^\s"]+)`)[1]
}

// Refuse is the function Refuse with the agent's address.
func (a *Agent) Refuse(t testing.TB) {
	t.Helper()
	Refuse(t, a.Addr(t))
}

// Refuse connects to an agent and sends another protocol than SPOP, so that the agent
// sends its first DISCONNECT: it counts these by reason.
func Refuse(t testing.TB, addr string) {
	t.Helper()
	stranger, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	if _, err := stranger.Write([]byte("GET / HTTP/1.0\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(stranger); err != nil {
		t.Fatal(err)
	}
}

// End stops the agent and waits for its clean end.
func (a *Agent) End(t testing.TB) {
	t.Helper()
	a.Stop()
	select {
	case status := <-a.Ended:
		if status != 0 {
			t.Fatalf("the agent ended with status %d", status)
		}
	case <-time.After(Patience):
		t.Fatal("the agent did not end")
	}
}

// Once runs an agent with flags and environment variables until it ends by itself, as
// with -h.
func Once[C any](t testing.TB, a service.Agent[C], environ []string, flags ...string) (status int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	out, errs := NewBuffer(), NewBuffer()
	status = a.Run(ctx, service.Process{Args: flags, Environ: environ, Stdout: out, Stderr: errs})
	if ctx.Err() != nil {
		t.Fatalf("the agent did not end by itself; it wrote:\n%s", errs)
	}
	return status, out.String(), errs.String()
}

package conformance_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spoke-go/spoke/spoe/spoetest/conformance"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// contractAgent is an agent with the contract's messages.
func contractAgent() *spoe.Agent {
	return &spoe.Agent{
		Handler:      conformance.ContractHandler(),
		Logger:       slog.New(slog.NewTextHandler(io.Discard, nil)),
		MaxFrameSize: 1 << 20,
		MaxPayload:   1 << 20,
	}
}

// contractTarget is a target without an address that tells all about a but its
// timeouts.
func contractTarget(a *spoe.Agent) conformance.Target {
	return conformance.Target{
		Message:      spoetest.Msg(conformance.MessageEcho, spoetest.Arg("ip", "192.0.2.1")),
		Expect:       expectEcho,
		Messages:     conformance.ContractMessages(),
		MaxFrameSize: uint32(a.MaxFrameSize),
		MaxPayload:   a.MaxPayload,
		NoEmptyACK:   a.NoEmptyACK,
		Wait:         30 * time.Second, // a busy machine takes long for what is due at once
	}
}

func expectEcho(v spoetest.Vars) error {
	if got := v.String(); got != "txn.ip=192.0.2.1" {
		return errors.New("the answer is " + got)
	}
	return nil
}

// run runs the agent until the test's subtests are over.
func run(t *testing.T, a *spoe.Agent, ln net.Listener) {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- a.Run(context.Background(), ln) }() // ends with Close
	t.Cleanup(func() {
		require.NoError(t, a.Close())
		select {
		case err := <-ended:
			require.ErrorIs(t, err, spoe.ErrAgentClosed)
		case <-time.After(time.Minute):
			t.Error("the agent does not end")
		}
	})
}

// withSpare lets t start further agents of its kind, each on a listener that listen
// returns.
func withSpare(t *conformance.Target, listen func() (net.Listener, func(*conformance.Target), error)) {
	t.Spare = func(context.Context) (*conformance.Target, func(context.Context) error, error) {
		a := contractAgent()
		a.NoEmptyACK = t.NoEmptyACK
		ln, aim, err := listen()
		if err != nil {
			return nil, nil, err
		}
		ended := make(chan error, 1)
		go func() { ended <- a.Run(context.Background(), ln) }() // ends with Shutdown
		spare := *t
		aim(&spare)
		return &spare, func(ctx context.Context) error {
			if err := a.Shutdown(ctx); err != nil {
				return err
			}
			select {
			case err := <-ended:
				if !errors.Is(err, spoe.ErrAgentClosed) {
					return err
				}
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}, nil
	}
}

func listenMemory() (net.Listener, func(*conformance.Target), error) {
	ln := spoetest.NewListener()
	return ln, func(t *conformance.Target) {
		t.Dial = func(ctx context.Context) (net.Conn, error) { return ln.DialContext(ctx) }
	}, nil
}

func listenTCP() (net.Listener, func(*conformance.Target), error) {
	ln, err := spoe.Listen("127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	return ln, func(t *conformance.Target) { t.Network, t.Addr = "tcp", ln.Addr().String() }, nil
}

func TestConform(t *testing.T) {
	for name, listen := range map[string]func() (net.Listener, func(*conformance.Target), error){
		"memory": listenMemory,
		"tcp":    listenTCP,
		"unix": func() (net.Listener, func(*conformance.Target), error) {
			ln, err := spoe.Listen("unix:" + filepath.Join(t.TempDir(), "agent.sock"))
			if err != nil {
				return nil, nil, err
			}
			return ln, func(t *conformance.Target) { t.Network, t.Addr = "unix", ln.Addr().String() }, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := contractAgent()
			target := contractTarget(a)
			ln, aim, err := listen()
			require.NoError(t, err)
			aim(&target)
			withSpare(&target, listen)
			run(t, a, ln)
			conformance.Conform(t, target)
		})
	}
}

func TestConformTLS(t *testing.T) {
	server, client := certificate(t)
	a := contractAgent()
	target := contractTarget(a)
	listen := func() (net.Listener, func(*conformance.Target), error) {
		ln, aim, err := listenTCP()
		if err != nil {
			return nil, nil, err
		}
		return tls.NewListener(ln, server), func(t *conformance.Target) {
			aim(t)
			t.TLS = client
		}, nil
	}
	ln, aim, err := listen()
	require.NoError(t, err)
	aim(&target)
	withSpare(&target, listen)
	run(t, a, ln)
	conformance.Conform(t, target)
}

func TestConformNoEmptyACK(t *testing.T) {
	a := contractAgent()
	a.NoEmptyACK = true
	target := contractTarget(a)
	ln, aim, err := listenMemory()
	require.NoError(t, err)
	aim(&target)
	withSpare(&target, listenMemory)
	run(t, a, ln)
	conformance.Conform(t, target)
}

func TestConformTimeouts(t *testing.T) {
	start := func(t *testing.T, listen func() (net.Listener, func(*conformance.Target), error)) *conformance.Target {
		a := contractAgent()
		// Long enough that a busy machine does not reach them where a case is in time.
		a.HelloTimeout, a.ReadTimeout, a.WriteTimeout = 3*time.Second, 3*time.Second, 3*time.Second
		a.IdleTimeout = 5 * time.Second
		target := contractTarget(a)
		target.HelloTimeout, target.ReadTimeout, target.WriteTimeout = a.HelloTimeout, a.ReadTimeout, a.WriteTimeout
		target.IdleTimeout = a.IdleTimeout
		ln, aim, err := listen()
		require.NoError(t, err)
		aim(&target)
		run(t, a, ln)
		return &target
	}
	t.Run("memory", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			for r := range conformance.Run(t.Context(), start(t, listenMemory), conformance.CasesOf("timeout/")) {
				assert.True(t, r.Err == nil || r.Skipped(), "%s: %v", r.Name, r.Err)
			}
		})
	})
	t.Run("tcp", func(t *testing.T) {
		conformance.Conform(t, *start(t, listenTCP), conformance.CasesOf("timeout/")...)
	})
}

// An agent of which nothing but its address is known, as `spoectl conform`
// meets it.
func TestRunByAddressAlone(t *testing.T) {
	a := &spoe.Agent{
		Logger:  slog.New(slog.NewTextHandler(io.Discard, nil)),
		Handler: spoe.HandlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error { return nil }),
	}
	ln, aim, err := listenTCP()
	require.NoError(t, err)
	run(t, a, ln)
	var target conformance.Target
	aim(&target)
	passed, skipped := 0, 0
	for r := range conformance.Run(t.Context(), &target, conformance.Suite()) {
		switch {
		case r.Skipped():
			skipped++
		case r.Err != nil:
			t.Errorf("%s: %v", r.Name, r.Err)
		default:
			passed++
		}
	}
	t.Logf("%d passed, %d skipped", passed, skipped)
	assert.Greater(t, passed, skipped)
}

func TestSuiteHasEveryRow(t *testing.T) {
	rows := map[string]int{}
	names := map[string]bool{}
	for _, c := range conformance.Suite() {
		assert.False(t, names[c.Name], "%s is there twice", c.Name)
		names[c.Name] = true
		assert.Regexp(t, `^[a-z]+/[A-Za-z0-9^.-]+$`, c.Name)
		assert.Regexp(t, `^§3\.\d(\.\d)?$`, c.Section, c.Name)
		rows[c.Row]++
	}
	for _, row := range conformance.Rows {
		assert.Positive(t, rows[row], "no case for: %s", row)
		delete(rows, row)
	}
	assert.Empty(t, rows, "cases of rows that are not in the table")
	t.Logf("%d cases", len(names))
}

package spoe_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/spoke-go/spoke/spoe/spoetest/conformance"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// TestFaults is the short form of the soak: clients that do everything wrong,
// beside one that has to be served throughout. SPOKE_SOAK=10m makes it long,
// SPOKE_SOAK_SEED repeats one.
func TestFaults(t *testing.T) {
	const wait = 10 * time.Second // a busy machine may take long for either side
	duration, conns := 2*time.Second, 30
	if text := os.Getenv("SPOKE_SOAK"); text != "" {
		var err error
		duration, err = time.ParseDuration(text)
		require.NoError(t, err)
		conns = 200
	}
	seed := uint64(1)
	if text := os.Getenv("SPOKE_SOAK_SEED"); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		require.NoError(t, err)
	}
	a := &spoe.Agent{
		Handler:      conformance.ContractHandler(),
		Logger:       slog.New(slog.NewTextHandler(io.Discard, nil)),
		MaxPayload:   64 << 10,
		HelloTimeout: wait,
		ReadTimeout:  wait,
		WriteTimeout: wait,
	}
	goroutines := runtime.NumGoroutine()
	ln, err := spoe.Listen("127.0.0.1:0")
	require.NoError(t, err)
	files := openFiles() // with the runtime's own, which it opens for the listener
	ended := make(chan error, 1)
	go func() { ended <- a.Run(context.Background(), ln) }() // ends with Close

	target := &conformance.Target{
		Network: "tcp", Addr: ln.Addr().String(),
		Message: spoetest.Msg(conformance.MessageEcho, spoetest.Arg("ip", "192.0.2.1")),
		Expect: func(v spoetest.Vars) error {
			if v.Str("txn.ip") != "192.0.2.1" {
				return errors.New("the answer is " + v.String())
			}
			return nil
		},
		Wait: wait,
	}
	calm, stop := context.WithCancel(t.Context())
	steady := make(chan error, 1)
	go func() { // ends with calm
		n, longest, err := target.Steady(calm, 5*time.Millisecond)
		t.Logf("the well-behaved client was answered %d times, in at most %v", n, longest)
		steady <- err
	}()
	report := (&conformance.Faults{Target: target, Connections: conns, Duration: duration, Seed: seed}).Run(t.Context())
	stop()
	assert.NoError(t, <-steady)
	t.Logf("seed %d: %v", seed, report)
	t.Logf("%+v", a.Stats())
	assert.Empty(t, report.Wrong)
	assert.Zero(t, report.Refused)
	assert.Positive(t, report.Acks)

	require.NoError(t, a.Close())
	require.ErrorIs(t, <-ended, spoe.ErrAgentClosed)
	stats := a.Stats()
	assert.Zero(t, stats.Connections)
	assert.Zero(t, stats.InFlight)
	assert.Zero(t, stats.Late)
	// The runtime may take a moment to forget goroutines that have ended.
	for end := time.Now().Add(eventually); runtime.NumGoroutine() > goroutines && time.Now().Before(end); {
		time.Sleep(10 * tick)
	}
	assert.LessOrEqual(t, runtime.NumGoroutine(), goroutines, "goroutines are left over")
	if files > 0 {
		assert.Less(t, openFiles(), files, "file descriptors are left over")
	}
}

// openFiles returns the number of open file descriptors, 0 where that cannot be
// seen.
func openFiles() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}

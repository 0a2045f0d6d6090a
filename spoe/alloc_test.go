//go:build !race

package spoe_test

import (
	"context"
	"io"
	"math"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// A NOTIFY costs no allocation, with a deadline or without.
func TestNotifyAllocatesNothing(t *testing.T) {
	ln, err := spoe.Listen("127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- (&spoe.Agent{Handler: byName{
			"raw":    set("x", 1),
			"within": within(time.Second, set("x", 1)),
		}}).Run(ctx, ln)
	}()
	nc, err := net.Dial("tcp", ln.Addr().String())
	require.NoError(t, err)
	hello := spoetest.DefaultHello()
	_, err = nc.Write(codec.AppendFrame(nil, spoetest.HelloFrame(hello.Append(nil))))
	require.NoError(t, err)
	buf := make([]byte, 4096)
	_, err = nc.Read(buf)
	require.NoError(t, err)
	for _, name := range []string{"raw", "within"} {
		payload := codec.AppendArg(codec.AppendMessage(nil, name, 1), "ip", codec.Int64(1))
		notify := codec.AppendFrame(nil, spoetest.NotifyFrame(spoetest.ID{Stream: 1, Frame: 1}, payload))
		ask := func() {
			if _, err := nc.Write(notify); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadAtLeast(nc, buf, 12); err != nil {
				t.Fatal(err)
			}
		}
		for range 200 { // fill the pools
			ask()
		}
		assert.Zero(t, testing.AllocsPerRun(2000, ask), name)
		least := math.Inf(1)
		for range 3 { // a garbage collection empties the pools
			least = min(least, bytesPerRun(10_000, ask))
		}
		assert.Less(t, least, maxNotifyBytes, name)
	}
	nc.Close()
	cancel()
	assert.NoError(t, <-ended)
}

// maxNotifyBytes bounds the bytes that a NOTIFY allocates on average. Each message
// has a context of its own of one byte, which its handler may keep; 248 of them are
// allocated together, which AllocsPerRun rounds down to 0.
const maxNotifyBytes = 8.0

// bytesPerRun returns how many bytes the process allocates for each of n calls.
func bytesPerRun(n int, f func()) float64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range n {
		f()
	}
	runtime.ReadMemStats(&after)
	return float64(after.TotalAlloc-before.TotalAlloc) / float64(n)
}

//go:build unix && !race

package visitors_test

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// distance is the time that a frame travels from HAProxy to an agent: a visitor's
// half-close then arrives before the answer.
const distance = 10 * time.Millisecond

// faraway puts the distance before an agent, and returns the address for HAProxy.
func faraway(t *testing.T) func(agent string) string {
	return func(agent string) string {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		var conns sync.WaitGroup
		conns.Go(func() { // ends when the cleanup closes ln
			for {
				conn, err := ln.Accept()
				if err != nil {
					return
				}
				conns.Go(func() { relay(conn, agent) })
			}
		})
		t.Cleanup(func() {
			require.NoError(t, ln.Close())
			conns.Wait()
		})
		return ln.Addr().String()
	}
}

// relay copies both ways until one side closes.
func relay(conn net.Conn, agent string) {
	defer conn.Close()
	to, err := net.Dial("tcp", agent)
	if err != nil {
		return // the agent ends before HAProxy
	}
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(conn, to)
		_ = conn.Close()
	})
	_, _ = io.Copy(slow{to}, conn)
	_ = to.Close()
	back.Wait()
}

// slow is a connection that takes its time to write.
type slow struct{ io.Writer }

func (s slow) Write(b []byte) (int, error) {
	time.Sleep(distance)
	return s.Writer.Write(b)
}

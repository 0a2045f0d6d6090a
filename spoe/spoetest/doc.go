// Package spoetest is the HAProxy side of SPOP, for tests of agents.
//
// The short way is New: it runs an agent with a handler in memory, does the
// handshake, and asks.
//
//	func TestIPRep(t *testing.T) {
//		haproxy := spoetest.New(t, router)
//		got := haproxy.Ask("ip-rep", spoetest.Arg("ip", netip.MustParseAddr("192.0.2.1")))
//		if got.Int("sess.ip_score") != 90 {
//			t.Errorf("got %v", got)
//		}
//	}
//
// Below it lies Client, which Dial connects to an agent in any language over a socket, and
// which can misbehave on purpose: any hello, raw bytes, writes cut into segments with
// pauses between them, payloads in fragments, half frames, resets. It starts no goroutine:
// it reads only when asked, so it can act as a HAProxy that has gone silent.
//
// Package conformance, below this one, has the wire contract as a suite; package
// haproxytest runs real HAProxies.
//
// All of it works inside testing/synctest bubbles, if the agent is in memory.
package spoetest

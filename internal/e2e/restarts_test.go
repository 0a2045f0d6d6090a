package e2e_test

import (
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRestarts has two agents behind each HAProxy under load, and restarts them
// in turn. No request may be without its decision where HAProxy checks their
// health and, up to 3.0, has one NOTIFY in flight on a connection.
func TestRestarts(t *testing.T) {
	t.Run("checks", func(t *testing.T) {
		restarts(t, countFrom(t, "SPOKE_RESTARTS", 2), true, "")
	})
	t.Run("checks-one-frame-a-connection", func(t *testing.T) {
		restarts(t, countFrom(t, "SPOKE_RESTARTS", 1), true, "max-waiting-frames 1")
	})
	t.Run("no-checks", func(t *testing.T) {
		restarts(t, countFrom(t, "SPOKE_RESTARTS", 1), false, "")
	})
}

func restarts(t *testing.T, n int, checks bool, lines string) {
	const fall, clients = 2, 16
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		agents := map[string]*haproxytest.Program{}
		addrs := map[string]string{"one": freeAddr(t), "two": freeAddr(t)}
		for name, addr := range addrs {
			agents[name] = startAgent(t, addr, fall)
		}
		h := startHAProxy(t, bin, haproxytest.Config{
			Config: loaded,
			Files:  map[string]string{"spoe.conf": spoeConf(quietly+"messages ip-rep\n"+lines, ipRep)},
			Data:   loadedData{checks, addrs},
		})
		bothUp := func() {
			t.Helper()
			time.Sleep(200 * time.Millisecond) // some traffic with both
			require.True(t, eventually(waitLimit, func() bool {
				s := serverStates(t, h)
				return s["one"] == "2" && s["two"] == "2"
			}), "not all agents are up")
		}
		bothUp()
		l := startLoad(t, h.Addr("http"), clients)
		bothUp()
		var longest time.Duration
		for range n {
			for _, name := range []string{"one", "two"} {
				begin := time.Now()
				agents[name].Stop(syscall.SIGTERM, 15*time.Second)
				longest = max(longest, time.Since(begin))
				p := agents[name]
				assert.Regexp(t, "^listening\nstats .*\n$", p.Output(), "the agent complains")
				agents[name] = startAgent(t, addrs[name], fall)
				bothUp()
			}
		}
		o := l.end()
		t.Logf("%d restarts, the longest end took %v: %v", 2*n, longest, o)
		assert.Positive(t, o.Responses)
		if checks && (lines != "" || bin.AtLeast("3.1")) {
			assert.Empty(t, o.Errors, "requests with an SPOE error")
		} else {
			// HAProxy goes on using the connections that it has, and nothing
			// tells it not to but a DISCONNECT, which fails what it is about to
			// send on that one: nothing of that has come to the agent. Through a
			// tap, more is under way when one comes.
			limit := 2 * n * clients
			if os.Getenv(tapEnv) != "" {
				limit *= 2
			}
			assert.LessOrEqual(t, o.failed(), limit, "more than was in flight")
		}
		assert.Zero(t, o.Undecided)
		assert.Zero(t, o.Broken)
	})
}

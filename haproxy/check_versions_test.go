package haproxy_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/haproxy"
)

// TestCheckClosesByVersion: up to 3.0 a client that half-closes while an event of TCP is
// asked is gone. The specimen closes-on-tcp-event holds what each version does.
func TestCheckClosesByVersion(t *testing.T) {
	for version, want := range map[string]int{"2.6": 0, "3.0": 0, "3.2": 1, "": 1} {
		s := specimen{"testdata/specimens/closes-on-tcp-event"}
		from := s.sources()
		from.Version = version
		found, err := haproxy.Check(s.routes(t), from)
		require.NoError(t, err)
		assert.Len(t, found, want, "%s: %v", version, found)
	}
}

// TestCheckProxyHeader: HAProxy 3.4 sends no PROXY header in mode spop. The specimen
// send-proxy holds what each version does.
func TestCheckProxyHeader(t *testing.T) {
	for _, test := range []struct {
		version string
		accepts bool
		found   int
	}{
		{"3.2", false, 1}, {"3.2", true, 0}, {"3.4", false, 0}, {"3.4", true, 1}, {"", false, 1}, {"", true, 0},
	} {
		s := specimen{"testdata/specimens/send-proxy"}
		agent, from := s.routes(t), s.sources()
		agent.AcceptProxy, from.Version = test.accepts, test.version
		found, err := haproxy.Check(agent, from)
		require.NoError(t, err)
		assert.Len(t, found, test.found, "%+v: %v", test, found)
	}
}

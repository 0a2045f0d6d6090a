package haproxy_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/haproxy"
)

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

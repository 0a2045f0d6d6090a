package haproxytest_test

import (
	"testing"
	"time"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"
)

func TestParseSPOELog(t *testing.T) {
	for _, tc := range []struct {
		line string
		want haproxytest.SPOELog
	}{
		{
			line: "SPOE: [ip-rep-agent] <EVENT:on-frontend-http-request> sid=12 st=0 0/1/2/0/3 1/1 0/0 0/7",
			want: haproxytest.SPOELog{Agent: "ip-rep-agent", Event: "on-frontend-http-request", Stream: 12, Took: 3 * time.Millisecond},
		},
		{
			line: "<134>Jan  1 00:00:00 haproxy[1]: SPOE: [a] <GROUP:check-user> sid=18446744073709551615 st=1 500 0/1",
			want: haproxytest.SPOELog{Agent: "a", Event: "check-user", Group: true, Stream: 1<<64 - 1, Status: 1, Took: 500 * time.Millisecond},
		},
		{
			line: "SPOE: [a] <EVENT:on-client-session> sid=3 st=259 0/-1/-1/-1/-1 0/0 0/0 1/1",
			want: haproxytest.SPOELog{Agent: "a", Event: "on-client-session", Stream: 3, Status: 259, Took: -time.Millisecond},
		},
	} {
		tc.want.Line = tc.line
		have, ok := haproxytest.ParseSPOELog(tc.line)
		assert.True(t, ok, tc.line)
		assert.Equal(t, tc.want, have)
	}

	_, ok := haproxytest.ParseSPOELog(`127.0.0.1:1 [x] http origin/origin 0/0/0/0/0 200 92 - - ---- "GET /?SPOE HTTP/1.1"`)
	assert.False(t, ok)
}

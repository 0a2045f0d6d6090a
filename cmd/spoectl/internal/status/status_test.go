package status_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/cmd/spoectl/internal/status"
)

func TestEveryNumberSaysWhatToDo(t *testing.T) {
	st, disconnects := status.Known()
	assert.Contains(t, st, 257)
	assert.Contains(t, st, 4)
	assert.Contains(t, disconnects, 99)
	check := func(e status.Explanation, ok bool) {
		require.True(t, ok)
		require.NotEmpty(t, e.Means, e.Title)
		require.NotEmpty(t, e.Do, e.Title)
		for _, m := range e.Means {
			assert.True(t, strings.HasSuffix(strings.TrimRight(m.Text, ")"), "."), m.Text)
		}
	}
	for _, n := range st {
		check(status.St(n))
	}
	for _, n := range disconnects {
		check(status.Disconnect(n))
	}
	e, ok := status.St(256 + 1000)
	require.True(t, ok)
	assert.Contains(t, e.Title, "agent's own")
	_, ok = status.St(77)
	assert.False(t, ok)
}

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		name, line string
		want       []string
		status     int
	}{
		{"to 3.0", "<4>haproxy[12]: SPOE: [ip-agent] <EVENT:on-frontend-http-request> sid=7 st=1 0/1/-1/0/500 1/2 0/3 1/4",
			[]string{
				"agent ip-agent, event on-frontend-http-request, HAProxy's stream 7",
				"encoding the messages (reqT): 0 ms", "waiting to be sent (qT): 1 ms",
				"waiting for the ACK (wT): -1: interrupted before its end", "reading the ACK (resT): 0 ms", "in all (pT): 500 ms",
				"idle applets / applets: 1/2", "streams that wait to send / for an ACK: 0/3", "errors / events processed: 1/4",
			}, 1},
		{"3.1 and later", "SPOE: [a] <GROUP:g> sid=0 st=0 12", []string{"agent a, group g, HAProxy's stream 0", "in all (pT): 12 ms"}, 0},
		{"3.1 and later, counters", "SPOE: [a] <GROUP:g> sid=0 st=257 -1 0/3", []string{"agent a, group g, HAProxy's stream 0", "in all (pT): -1: interrupted before its end", "errors / events processed: 0/3"}, 257},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, ok := status.Parse(tt.line)
			require.True(t, ok)
			assert.Equal(t, tt.status, l.Status)
			assert.Equal(t, tt.want, l.Words())
		})
	}
	_, ok := status.Parse("st=1")
	assert.False(t, ok)
}

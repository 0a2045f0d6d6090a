package main_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/spoe/spoetest"
)

// question is a message of HAProxy about a page that a browser wants.
type question struct {
	method, host, target, cookie, authorization, accept string
	from                                                string
}

// ask asks the agent as HAProxy does.
func (a *agent) ask(t *testing.T, q question) spoetest.Vars {
	t.Helper()
	hello := spoetest.DefaultHello()
	hello.MaxFrameSize = 1 << 20 // for questions that HAProxy's buffer would not let through
	c, err := (&spoetest.Dialer{Hello: &hello, Timeout: patience}).Dial(t.Context(), "tcp", a.addr)
	require.NoError(t, err)
	defer c.Close()
	or := func(s, otherwise string) string {
		if s == "" {
			return otherwise
		}
		return s
	}
	got, err := c.Ask(t.Context(), "authenticate", spoetest.Arg("method", or(q.method, "GET")), spoetest.Arg("host", or(q.host, "wiki.localhost")),
		spoetest.Arg("target", or(q.target, "/")), spoetest.Arg("from", netip.MustParseAddr(or(q.from, "192.0.2.1"))),
		spoetest.Arg("cookie", q.cookie), spoetest.Arg("authorization", q.authorization), spoetest.Arg("accept", or(q.accept, "text/html")))
	require.NoError(t, err)
	return got
}

// decision asks the agent about a page of a site, with a browser's cookies.
func (a *agent) decision(t *testing.T, site string, cookies map[string]string) string {
	t.Helper()
	return a.ask(t, question{host: strings.TrimPrefix(site, "https://"), cookie: header(cookies)}).Str("txn.decision")
}

// header is a Cookie header.
func header(cookies map[string]string) string {
	var pairs []string
	for name, value := range cookies {
		pairs = append(pairs, name+"="+value)
	}
	return strings.Join(pairs, "; ")
}

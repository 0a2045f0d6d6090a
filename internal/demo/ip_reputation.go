package main

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"

	"github.com/spoke-go/spoke/spoe/spoetest"
)

// ipReputation shows the sample lists and haproxy.cfg of examples/ip-reputation.
var ipReputation = scene{
	dir:  "examples/ip-reputation",
	env:  "IPREP",
	note: "HAProxy takes the client's address from X-Forwarded-For, from this machine only.",
	site: func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "This is the origin. score=%s list=%s\n", r.Header.Get("X-IP-Score"), r.Header.Get("X-IP-List"))
	},
	visits: []visit{
		listed("", 200, 100, "", "on no list"),
		listed("192.0.2.66", 403, 0, "blocklist", "refused: on the list blocklist"),
		listed("192.0.2.10", 200, 100, "allow", "on the same list, but the allow list wins"),
		listed("198.51.100.7", 403, 0, "drop", "refused: on the list drop"),
		listed("203.0.113.9", 403, 20, "tor", "refused: a Tor exit"),
		listed("203.0.113.10", 200, 50, "suspects", "let through, but marked for the origin: suspects"),
		listed("2001:db8:bad::1", 403, 0, "blocklist", "refused: on the list blocklist"),
		listed("2001:db8:1::1", 200, 100, "", "on no list"),
	},
	alone:     dialReputation,
	aloneArgs: []string{"-log-decisions"}, // HAProxy's log tells them otherwise
}

func listed(from string, status, score int, list, why string) visit {
	return visit{from: from, status: status, origin: fmt.Sprintf("score=%d list=%s\n", score, list), why: why}
}

// reputationClient takes HAProxy's side.
type reputationClient struct{ *spoetest.Client }

func dialReputation(ctx context.Context, addr string) (asker, error) {
	client, err := spoetest.Dial(ctx, "tcp", addr)
	return reputationClient{client}, err
}

func (reputationClient) installed() bool { return true }

func (reputationClient) command(v visit) string { return "ip-rep ip=" + source(v).String() }

// ask follows haproxy.cfg: below 30 is refused, and without an answer the
// request passes with neither score nor list.
func (c reputationClient) ask(ctx context.Context, v visit) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	vars, err := c.Ask(ctx, "ip-rep", spoetest.Arg("ip", source(v)))
	if err != nil {
		return answer{}, err
	}
	if vars.Has("sess.ip_score") && vars.Int("sess.ip_score") < 30 {
		return answer{status: http.StatusForbidden}, nil
	}
	return answer{
		status: http.StatusOK,
		origin: fmt.Sprintf("score=%d list=%s\n", vars.Int("sess.ip_score"), vars.Str("sess.ip_list")),
	}, nil
}

func source(v visit) netip.Addr {
	if v.from == "" {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return netip.MustParseAddr(v.from)
}

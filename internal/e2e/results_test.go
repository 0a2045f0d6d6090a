package e2e_test

import (
	"context"
	"math"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/spoe"
)

// result is a value that an agent sets, and a condition on the variable that must then hold
// in HAProxy.
type result struct {
	name  string
	value any
	conds string
}

var results = []result{
	{"yes", true, `{ var(txn.e2e.yes) -m bool }`},
	{"no", false, `{ var(txn.e2e.no) -m found } !{ var(txn.e2e.no) -m bool }`},
	{"int", -5, `{ var(txn.e2e.int) -m int eq -5 } { var(txn.e2e.int) -m str -- -5 }`},
	{"int32", int32(math.MinInt32), `{ var(txn.e2e.int32) -m int eq -2147483648 }`},
	{"uint32", uint32(math.MaxUint32), `{ var(txn.e2e.uint32) -m int eq 4294967295 }`},
	{"int64", int64(math.MaxInt64), `{ var(txn.e2e.int64) -m int eq 9223372036854775807 }`},
	{"lowest", int64(math.MinInt64), `{ var(txn.e2e.lowest) -m str -- -9223372036854775808 }`},
	{"uint64", uint64(1) << 40, `{ var(txn.e2e.uint64) -m int eq 1099511627776 }`},
	{"zero", 0, `{ var(txn.e2e.zero) -m int eq 0 }`},
	{"ip4", netip.MustParseAddr("192.0.2.1"), `{ var(txn.e2e.ip4) -m ip 192.0.2.0/24 } { var(txn.e2e.ip4) -m str 192.0.2.1 }`},
	{"ip6", netip.MustParseAddr("2001:db8::1"), `{ var(txn.e2e.ip6) -m ip 2001:db8::/32 } { var(txn.e2e.ip6) -m str 2001:db8::1 }`},
	{"netip", net.ParseIP("192.0.2.2"), `{ var(txn.e2e.netip) -m ip 192.0.2.2 }`},
	{"text", "hello world", `{ var(txn.e2e.text) -m str "hello world" } { var(txn.e2e.text) -m beg hell }`},
	{"empty", "", `{ var(txn.e2e.empty) -m found } { var(txn.e2e.empty) -m len 0 }`},
	{"long", strings.Repeat("x", 5000), `{ var(txn.e2e.long) -m len 5000 }`},
	{"bytes", []byte{0x00, 0xc0, 0xff, 0xee}, `{ var(txn.e2e.bytes) -m bin 00c0ffee } { var(txn.e2e.bytes),hex -m str 00C0FFEE }`},
	{"float", 0.25, `{ var(txn.e2e.float) -m str 0.25 } { var(txn.e2e.float) -m int eq 0 }`},
	{"whole", 3.0, `{ var(txn.e2e.whole) -m str 3 } { var(txn.e2e.whole) -m int eq 3 }`},
	{"negative", -2.75, `{ var(txn.e2e.negative) -m str -- -2.75 } { var(txn.e2e.negative) -m int eq -2 }`},
	// Names: all that HAProxy takes, and as long as it can be with txn.e2e. before it.
	{"A.b_c.9", "name", `{ var(txn.e2e.A.b_c.9) -m str name }`},
	{longName, "name", `{ var(txn.e2e.` + longName + `) -m str name }`},
	{"last", "last", `{ var(txn.e2e.last) -m str last }`},
}

var longName = strings.Repeat("n", 63-len("txn.e2e."))

const ask = `
spoe-message ask
    event on-frontend-http-request`

// TestResults lets an agent set variables of all types.
func TestResults(t *testing.T) {
	handler := spoe.HandlerFunc(func(_ context.Context, _ *spoe.Message, acts *spoe.Actions) error {
		for _, r := range results {
			if err := acts.SetVar(spoe.VarScopeTransaction, r.name, r.value); err != nil {
				return err
			}
			// The agent refuses a variable that HAProxy would refuse: later ones are not
			// lost.
			if err := acts.SetInt(spoe.VarScopeTransaction, "not-a-name", 1); err == nil {
				panic("a name with a dash")
			}
		}
		return nil
	})
	var rules strings.Builder
	for _, r := range results {
		rules.WriteString("\n    http-after-response add-header X-Holds " + r.name + " if " + r.conds)
	}
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		a := startHandler(t, handler)
		h := setup(t, bin, a.addr, spoeConf("messages ask", ask), rules.String())
		resp := h.Get("/")
		for _, r := range results {
			assert.Contains(t, resp.Header.Values("X-Holds"), r.name, "%v: %s", r.value, r.conds)
		}
		assert.Len(t, resp.Header.Values("X-Holds"), len(results))
		assert.Zero(t, h.WaitSPOELogs(1)[0].Status)
	})
}

// TestScopes lets an agent set a variable in each scope, and unset another agent's.
func TestScopes(t *testing.T) {
	handler := spoe.HandlerFunc(func(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
		scopes := []spoe.VarScope{spoe.VarScopeProcess, spoe.VarScopeSession, spoe.VarScopeTransaction, spoe.VarScopeRequest}
		switch msg.Name {
		case "on-response":
			scopes = []spoe.VarScope{spoe.VarScopeResponse}
		case "forget":
			for _, s := range scopes {
				if err := acts.UnsetVar(s, "v"); err != nil {
					return err
				}
			}
			return nil
		}
		for _, s := range scopes {
			if err := acts.SetVar(s, "v", s.String()); err != nil {
				return err
			}
		}
		return nil
	})
	conf := spoeConf("messages ask on-response\n    groups unset", ask+`
spoe-message on-response
    event on-http-response
spoe-message forget
spoe-group unset
    messages forget`)
	const rules = `
    http-request set-var(txn.before) var(proc.e2e.v),concat(:,sess.e2e.v),concat(:,txn.e2e.v),concat(:,req.e2e.v)
    http-request send-spoe-group e2e unset if { path /unset }
    http-response set-header X-Res "%[var(res.e2e.v)]"
    http-after-response set-header X-Before "%[var(txn.before)]"
    http-after-response set-header X-Left proc if { var(proc.e2e.v) -m found }
    http-after-response add-header X-Left sess if { var(sess.e2e.v) -m found }
    http-after-response add-header X-Left txn if { var(txn.e2e.v) -m found }`
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		a := startHandler(t, handler)
		h := setup(t, bin, a.addr, conf, rules)

		resp := h.Get("/")
		assert.Equal(t, "proc:sess:txn:req", resp.Header.Get("X-Before"))
		assert.Equal(t, "res", resp.Header.Get("X-Res"))
		assert.Equal(t, []string{"proc", "sess", "txn"}, resp.Header.Values("X-Left"))

		if !bin.AtLeast("2.4.1") {
			return // it asks for ever where an engine has events and groups on one stream
		}
		resp = h.Get("/unset")
		assert.Equal(t, "proc:sess:txn:req", resp.Header.Get("X-Before"))
		assert.Empty(t, resp.Header.Values("X-Left"))
		for _, l := range h.WaitSPOELogs(5) {
			assert.Zero(t, l.Status, l.Line)
		}
	})
}

package capture_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/internal/golden"
	"github.com/spoke-go/spoke/spoe"
)

// action is a variable that the handler sets, and its form in HAProxy's %[var(…)].
type action struct {
	codec.Action
	shows string // or absent
	conv  string // a converter behind var()
}

const absent = "(absent)"

func actions() scenario {
	set := func(scope codec.Scope, name string, v codec.Value, shows, conv string) action {
		return action{codec.Action{Scope: scope, Name: name, Value: v}, shows, conv}
	}
	const proc, sess, txn, req, res = codec.ScopeProcess, codec.ScopeSession, codec.ScopeTransaction, codec.ScopeRequest, codec.ScopeResponse
	long := strings.Repeat("0123456789", 229)
	onRequest := []action{
		set(txn, "bool_true", codec.Bool(true), "1", ""),
		set(txn, "bool_false", codec.Bool(false), "0", ""),
		set(txn, "int32", codec.Int32(math.MinInt32), "-2147483648", ""),
		set(txn, "uint32", codec.Uint32(math.MaxUint32), "4294967295", ""),
		set(txn, "int64_min", codec.Int64(math.MinInt64), "-9223372036854775808", ""),
		set(txn, "int64_max", codec.Int64(math.MaxInt64), "9223372036854775807", ""),
		set(txn, "uint64", codec.Uint64(math.MaxInt64), "9223372036854775807", ""),
		set(txn, "ipv4", addr("192.0.2.1"), "192.0.2.1", ""),
		set(txn, "ipv6", addr("2001:db8::1"), "2001:db8::1", ""),
		set(txn, "mapped", addr("::ffff:192.0.2.1"), "::ffff:192.0.2.1", ""),
		set(txn, "string", codec.String("words"), "words", ""),
		set(txn, "empty", codec.String(""), "", ""),
		set(txn, "float", codec.Float(0.5), "0.5", ""),
		set(txn, "long", codec.String(long), long, ""),
		set(txn, "binary", codec.Binary([]byte{0, 0xff, 0, 1}), "00FF0001", ",hex"),
		set(txn, "null", codec.String("before"), absent, ""),
		set(txn, "null", codec.Null(), absent, ""),
		set(proc, "process", codec.Int64(1), "1", ""),
		set(sess, "session", codec.Int64(2), "2", ""),
		set(req, "request", codec.Int64(3), "3", ""),
		set(txn, "unset", codec.String("before"), absent, ""),
		{codec.Action{Scope: txn, Name: "unset", Unset: true}, absent, ""},
		set(sess, "gone", codec.Int64(5), absent, ""),
		set(txn, "a.b_C9", codec.Bool(true), "1", ""),
		set(txn, "v"+strings.Repeat("x", 62-len("txn.golden.v")), codec.String("longest name"), "longest name", ""),
	}
	onResponse := []action{
		set(res, "response", codec.Int64(4), "4", ""),
		{codec.Action{Scope: sess, Name: "gone", Unset: true}, absent, ""},
	}
	name := func(a action) string { return a.Scope.String() + ".golden." + a.Name }
	header := func(a action) string {
		return http.CanonicalHeaderKey("X-" + strings.NewReplacer(".", "-", "_", "-").Replace(a.Name))
	}
	s := scenario{
		name: "actions",
		about: "Every type of value and every scope that Spoke can set, and what unsets: HAProxy's\n" +
			"response had every variable as the handler meant it. Two NOTIFYs on one connection.",
		rules: []string{
			"http-request set-var(txn.request) var(req.golden.request)",
			"http-request set-var(txn.gone) var(sess.golden.gone)",
			"http-response set-header X-Was-Gone <%[var(txn.gone)]>",
		},
		messages: []message{
			{name: "on-request"},
			{name: "on-response", event: "on-http-response"},
		},
		handler: func(_ context.Context, m *spoe.Message, acts *spoe.Actions) error {
			all := onRequest
			if m.Name == "on-response" {
				all = onResponse
			}
			for _, a := range all {
				var err error
				if a.Unset {
					err = acts.UnsetVar(a.Scope, a.Name)
				} else {
					err = acts.SetValue(a.Scope, a.Name, a.Value)
				}
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
	all := slices.Concat(onRequest, onResponse)
	for i, a := range all {
		if slices.ContainsFunc(all[:i], func(b action) bool { return name(b) == name(a) }) {
			continue
		}
		variable := name(a)
		if a.Scope == req {
			variable = "txn.request" // the original ends with the request
		}
		s.rules = append(s.rules, fmt.Sprintf("http-response set-header %s <%%[var(%s)%s]> if { var(%[2]s) -m found }", header(a), variable, a.conv))
	}
	s.run = func(c *capture) ([][]byte, []golden.Frame) {
		resp, _ := c.request("GET /actions HTTP/1.1\r\n", "Host: example.com\r\n", "\r\n")
		assert.Equal(c, 200, resp.StatusCode)
		for _, a := range all {
			if want := "<" + a.shows + ">"; a.shows == absent {
				assert.NotContains(c, resp.Header, header(a))
			} else {
				assert.Equal(c, want, resp.Header.Get(header(a)), "%s", name(a))
			}
		}
		assert.Equal(c, "<5>", resp.Header.Get("X-Was-Gone"), "it was set before it was unset")
		c.accepted(2)
		first, second := []codec.Action{}, []codec.Action{}
		for _, a := range onRequest {
			first = append(first, a.Action)
		}
		for _, a := range onResponse {
			second = append(second, a.Action)
		}
		return c.firstConnection(6), append(c.hellos(),
			notify(c.messages[0].want()), ack(first...), notify(c.messages[1].want()), ack(second...))
	}
	return s
}

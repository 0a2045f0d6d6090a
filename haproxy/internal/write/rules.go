package write

import (
	"strconv"
	"strings"

	"github.com/spoke-go/spoke/haproxy/internal/model"
	"github.com/spoke-go/spoke/haproxy/internal/samples"
	"github.com/spoke-go/spoke/router"
)

// writeGroups writes the rules that send the groups of a stage.
func (c *Config) writeGroups(t *text, a model.Agent, e router.Event) {
	for _, g := range a.Groups() {
		members := a.Members(g)
		first := a.Message(members[0])
		if !sameRules(first.On(), e) {
			continue
		}
		rules := ruleSets[e]
		condition := joined(firstBytes(&a, g, rules), c.chosen())
		if !c.own.isFirst() {
			t.line("    "+rules.name+" send-spoe-group", c.Engine, g, condition)
			continue
		}
		t.line()
		switch rules {
		case tcpRequest:
			t.comment("    ", "Sends "+strings.Join(members, ", ")+" when the connection's first bytes have arrived, and waits for the answer. "+
				"The rule needs inspect-delay, and a condition that waits for these bytes. HAProxy does not reach it after an \"accept\".")
			t.line("    tcp-request inspect-delay 5s")
		case tcpResponse:
			t.comment("    ", "Sends "+strings.Join(members, ", ")+" when the response's first bytes have arrived, and waits for the answer.")
			t.line("    tcp-response inspect-delay 5s")
		default:
			t.comment("    ", "Sends "+strings.Join(members, ", ")+", and waits for the answer. You may put other rules before it, and add a condition; "+
				"a rule below about the answer then needs that condition, too: \"if COND !{ ... }\".")
			if rules == httpResponse && fetchesBody(&a, g, "res.") {
				t.line("    http-response wait-for-body time 1s")
			}
		}
		t.line("    "+rules.name+" send-spoe-group", c.Engine, g, condition)
	}
}

// joined returns a condition, "if …" or "", with an additional term, if there is one.
func joined(condition, term string) string {
	switch {
	case term == "":
		return condition
	case condition == "":
		return "if " + term
	}
	return condition + " " + term
}

// firstBytes returns the condition that makes a TCP rule wait for the bytes that its
// group's arguments read.
func firstBytes(a *model.Agent, group string, rules *ruleSet) string {
	switch rules {
	case tcpRequest:
		if model.AnyArg(a, func(m *model.Message, arg *model.Arg) bool {
			return m.Group == group && strings.HasPrefix(samples.Name(samples.Unquoted(arg.Fetch)), "req.ssl_")
		}) {
			return "if { req.ssl_hello_type 1 }"
		}
		return "if { req.len gt 0 }"
	case tcpResponse:
		return "if { res.len gt 0 }"
	}
	return ""
}

// writeVerdicts writes the rules of a stage that act on a missing verdict.
func (c *Config) writeVerdicts(t *text, a model.Agent, e router.Event) {
	rules := ruleSets[e]
	v := c.verdicts(a, e)
	t.line()
	t.comment("    ", "The client closed its sending side while HAProxy waited for the answer (4 and 5), or sent a request that is too long for a message (3). Without this rule such a client gets past the agent.")
	t.line("    "+rules.name+" "+rules.aborted, "if { var("+c.fullName("txn", errorVar)+") -m int 3 4 5 }")
	t.line()
	if c.FailClosed {
		t.comment("    ", "There is no answer: the agent is down or slow, has failed, or does not know the message. The request is refused: FAIL CLOSED.")
		for _, condition := range v.missing {
			t.line("    "+rules.name+" "+rules.refuse, condition)
		}
		return
	}
	if len(v.missing) > 0 {
		t.comment("    ", "There is no answer: the agent is down or slow, has failed, or does not know the message. The request passes: FAIL OPEN. "+
			"Remove the '#' from the next "+plural(len(v.missing), "line", "lines")+" to FAIL CLOSED.")
		for _, condition := range v.missing {
			t.line("    #"+rules.name+" "+rules.refuse, condition)
		}
	}
	if len(v.unseen) > 0 {
		t.comment("    ", "Without an answer the request passes: FAIL OPEN. It cannot fail closed for every reason. "+describeUnseen(v.unseen))
		t.comment("    ", "The next line refuses requests if the agent is down, slow or has failed, but not if it does not know the message or sets nothing.")
		t.line("    #"+rules.name+" "+rules.refuse, c.unanswered(a, e))
	}
}

func describeUnseen(unseen []unseen) string {
	var s []string
	for _, b := range unseen {
		s = append(s, "Message "+strconv.Quote(b.message.Name)+": "+b.reason.Error()+".")
	}
	return strings.Join(s, " ")
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

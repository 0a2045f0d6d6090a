package router

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
)

// Sending says when HAProxy sends a route's message, and what besides the
// handler's struct is in it and in the answer:
//
//	r.Handle("ip-rep", router.Func(lookup)).Event(router.OnFrontendHTTPRequest)
//	r.Handle("login", router.Func(login)).Group("ask")
//	r.Handle("raw", raw).Event(router.OnClientSession).Arg("ip", "src").Var(spoe.VarScopeSession, "score")
//
// The router itself does not need it: package haproxy writes HAProxy's half of
// the configuration from it, and checks that half against it. Its methods panic,
// as registration does, with what is wrong and where.
type Sending struct{ route *route }

// Arg is an argument that is sent besides those of a handler's struct.
type Arg struct {
	Name  string // empty for an argument without a name
	Fetch string // a sample expression, such as req.hdr(traceparent)
	// Shared tells that it was declared for all messages of a group of routes, by
	// Group.Arg: those on events at which HAProxy does not have it go without.
	Shared bool
}

// Var is a variable that is set besides those of a handler's result.
type Var struct {
	Scope spoe.VarScope
	Name  string
}

// Event has the message sent on an event of HAProxy's. A condition is as its
// configuration has it: "if { path_beg /login }" or "unless { src 10.0.0.0/8 }".
func (s *Sending) Event(e Event, condition ...string) *Sending {
	info := &s.route.info
	call := s.call("Event", string(e))
	cond := strings.TrimSpace(strings.Join(condition, " "))
	switch {
	case !slices.Contains(events, e):
		refuse(call, "HAProxy has no such event; it has %s", eventList())
	case cond != "" && !strings.HasPrefix(cond, "if ") && !strings.HasPrefix(cond, "unless "):
		refuse(call, "the condition %q begins with neither if nor unless: write \"if { … }\" as HAProxy's configuration has it", cond)
	case hasControl(cond):
		refuse(call, "the condition %q has a control character: write it on one line", cond)
	case info.Event != "":
		refuse(call, "the message has an event already, %s: HAProxy sends a message on one event; register another message for the other", info.Event)
	case info.Group != "":
		refuse(call, "the message is in the group %q: HAProxy would send it twice; keep one of them", info.Group)
	}
	info.Event, info.Condition = e, cond
	return s
}

// Group has the message sent where a rule of HAProxy's says so: `http-request
// send-spoe-group <engine> <name>` (SPOE.txt §2.4). Messages of one group are sent
// in one NOTIFY, in the order of their registration.
func (s *Sending) Group(name string) *Sending {
	info := &s.route.info
	call := s.call("Group", name)
	switch {
	case name == "":
		refuse(call, "the group has no name: write the one that the rule send-spoe-group has")
	case badSection(name) >= 0:
		c, _ := utf8.DecodeRuneInString(name[badSection(name):])
		refuse(call, "HAProxy has no group of that name, as it refuses the character %q: use letters, digits, '-', '_', '.' and ':'", c)
	case info.Group != "":
		refuse(call, "the message is in the group %q already, and HAProxy has a message in one group: keep one of them", info.Group)
	case info.Event != "":
		refuse(call, "the message has the event %s: HAProxy would send it twice; keep one of them", info.Event)
	}
	info.Group = name
	return s
}

// Arg says where HAProxy has an argument from, as the struct tag fetch does: for
// handlers without a struct, or for an argument that something else reads. fetch
// is what HAProxy's configuration has behind `args name=`.
func (s *Sending) Arg(name, fetch string) *Sending {
	info := &s.route.info
	call := s.call("Arg", name, fetch)
	checkArg(call, name, fetch)
	for i := range info.Args {
		a := &info.Args[i]
		switch {
		case name == "" || a.Name != name:
			continue
		case a.Fetch != "":
			refuse(call, "the field %s has it already, from %q: remove one of them", a.Field, a.Fetch)
		}
		a.Fetch = fetch
		return s
	}
	i := slices.IndexFunc(info.Sent, func(a Arg) bool { return a.Name == name })
	switch {
	case name == "" || i < 0:
		info.Sent = append(info.Sent, Arg{Name: name, Fetch: fetch})
	case !info.Sent[i].Shared:
		refuse(call, "the message has the argument already, from %q: remove one of them", info.Sent[i].Fetch)
	default: // the route's word goes before the group's
		info.Sent[i] = Arg{Name: name, Fetch: fetch}
	}
	return s
}

// Var names a variable that the handler sets by hand.
func (s *Sending) Var(scope spoe.VarScope, name string) *Sending {
	info := &s.route.info
	call := s.call("Var", scope.String(), name)
	if err := codec.CheckVarName(scope, name); err != nil {
		refuse(call, "%v", err)
	}
	v := Var{scope, name}
	if slices.Contains(info.Sets, v) || slices.ContainsFunc(info.Vars, func(o codec.VarInfo) bool { return o.Scope == scope && o.Name == name }) {
		refuse(call, "the message sets the variable already: remove one of them")
	}
	info.Sets = append(info.Sets, v)
	return s
}

// Buffer is how large HAProxy's tune.bufsize must be for what the handler wants
// to see, in bytes: a request's head and body have to fit into it together.
func (s *Sending) Buffer(bytes int) *Sending {
	if bytes <= 0 {
		refuse(s.call("Buffer"), "no buffer has %d bytes: write the number that tune.bufsize must have, or leave it out", bytes)
	}
	s.route.info.Buffer = bytes
	return s
}

// call is how a refusal names the call.
func (s *Sending) call(method string, args ...string) string {
	return "Handle(" + strconv.Quote(s.route.info.Message) + ")." + method + "(" + quoted(args...) + ")"
}

func checkArg(call, name, fetch string) {
	switch {
	case strings.TrimSpace(fetch) == "":
		refuse(call, "it is not said where HAProxy has the argument from: write a sample expression, such as req.hdr(host)")
	case hasControl(fetch):
		refuse(call, "the sample expression has a control character: write it on one line")
	}
	for _, c := range name {
		if c <= ' ' || c == '=' || c == 0x7f {
			refuse(call, "%q is no name of an argument in HAProxy's configuration: use letters, digits, '-', '_' and '.'", name)
		}
	}
}

func quoted(words ...string) string {
	for i, w := range words {
		words[i] = strconv.Quote(w)
	}
	return strings.Join(words, ", ")
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c == 0x7f })
}

// badSection returns where HAProxy's configuration refuses a name (invalid_char
// in its source), or -1.
func badSection(name string) int {
	return strings.IndexFunc(name, func(c rune) bool {
		return !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("-_.:", c))
	})
}

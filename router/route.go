package router

import (
	"slices"
	"strconv"
	"strings"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
)

// Route is a registered message. Its methods state when HAProxy sends the message, and
// add arguments and variables to those of the handler's structs:
//
//	r.Handle("ip-rep", lookup).Event(router.OnFrontendHTTPRequest)
//	r.Handle("login", login).Group("ask").Event(router.OnFrontendHTTPRequest).If("{ path_beg /login }")
//	r.HandleRaw("raw", raw).Event(router.OnClientSession).Arg("ip", "src").Var(spoe.VarScopeSession, "score")
//
// Package haproxy writes and checks HAProxy's configuration from it; serving does not
// use it. A mistake panics, with the place of the call.
type Route struct {
	entry  *entry
	call   string // of the registration
	engine bool   // Engine was called
}

// Arg is an argument that HAProxy sends in addition to those of a handler's struct.
type Arg struct {
	Name  string // empty for an argument without a name
	Fetch string // a sample expression, such as req.hdr(traceparent)
	// Shared reports whether Branch.Arg declared it, for all messages of a branch
	// except those on events at which HAProxy does not have the sample.
	Shared bool
}

// Var is a variable that a handler sets in addition to those of its result.
type Var struct {
	Scope spoe.VarScope
	Name  string
}

// Event names the event of HAProxy on which it sends the message. If the message also
// has a Group, the group's rule sends it, and the event only has the condition of If or
// Unless; without a condition HAProxy ignores the event.
func (r *Route) Event(e Event) *Route {
	info := &r.entry.info
	call := r.method("Event", string(e))
	switch {
	case !slices.Contains(events, e):
		refuse(call, "HAProxy has no such event; it has %s", eventList())
	case info.Event != "":
		refuse(call, "the message has an event already, %s: HAProxy sends a message on one event; register another message for the other", info.Event)
	}
	info.Event = e
	return r
}

// If limits the message to requests for which a condition holds, written as in
// HAProxy's configuration: "{ path_beg /login }". It belongs to the event, so call
// Event before.
func (r *Route) If(condition string) *Route { return r.condition("If", "if", condition) }

// Unless limits the message to requests for which a condition does not hold, such as
// "{ src 10.0.0.0/8 }". It belongs to the event, so call Event before.
func (r *Route) Unless(condition string) *Route { return r.condition("Unless", "unless", condition) }

func (r *Route) condition(method, word, condition string) *Route {
	info := &r.entry.info
	call := r.method(method, condition)
	cond := strings.TrimSpace(condition)
	first, _, _ := strings.Cut(cond, " ")
	switch {
	case cond == "":
		refuse(call, "the condition is empty: write one, such as \"{ path_beg /login }\"")
	case first == "if", first == "unless":
		refuse(call, "the condition begins with %q: leave the word out, %s writes it", first, method)
	case hasControl(cond):
		refuse(call, "the condition has a control character: write it on one line")
	case info.Event == "":
		refuse(call, "the message has no event that could have a condition: call Event first")
	case info.Condition != "":
		refuse(call, "the message has a condition already, %q: write both as one", info.Condition)
	}
	info.Condition = word + " " + cond
	return r
}

// Group adds the message to an SPOE group, which a rule of HAProxy sends: `http-request
// send-spoe-group <engine> <name>` (SPOE.txt §2.4). HAProxy sends the messages of a
// group in one NOTIFY, in the order of their registration. If a message also has an
// event with a condition, the rule sends it only if the condition holds.
func (r *Route) Group(name string) *Route {
	info := &r.entry.info
	call := r.method("Group", name)
	switch {
	case name == "":
		refuse(call, "the group has no name: write the one that the rule send-spoe-group has")
	case info.Group != "":
		refuse(call, "the message is in the group %q already, and HAProxy has a message in one group: keep one of them", info.Group)
	}
	checkSection(call, "HAProxy rejects the name of the group for", name)
	info.Group = name
	return r
}

// Engine names the SPOE engine that sends the message, instead of the branch's.
func (r *Route) Engine(name string) *Route {
	call := r.method("Engine", name)
	checkEngine(call, name)
	if r.engine {
		refuse(call, "the message has the engine %q already: keep one of them", r.entry.info.Engine)
	}
	r.engine, r.entry.info.Engine = true, name
	return r
}

// Arg declares an argument and its sample expression, as the struct tag fetch does. Use
// it for raw handlers, and for arguments that middleware reads. In HAProxy's
// configuration it is `args name=fetch`.
func (r *Route) Arg(name, fetch string) *Route {
	info := &r.entry.info
	call := r.method("Arg", name, fetch)
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
		return r
	}
	i := slices.IndexFunc(info.Sent, func(a Arg) bool { return a.Name == name })
	switch {
	case name == "" || i < 0:
		info.Sent = append(info.Sent, Arg{Name: name, Fetch: fetch})
	case !info.Sent[i].Shared:
		refuse(call, "the message has the argument already, from %q: remove one of them", info.Sent[i].Fetch)
	default: // the route takes precedence over the branch
		info.Sent[i] = Arg{Name: name, Fetch: fetch}
	}
	return r
}

// Var declares a variable that the handler sets by Actions, not by its result.
func (r *Route) Var(scope spoe.VarScope, name string) *Route {
	info := &r.entry.info
	call := r.method("Var", scope.String(), name)
	if err := codec.CheckVarName(scope, name); err != nil {
		refuse(call, "%v", err)
	}
	v := Var{scope, name}
	if slices.Contains(info.Sets, v) || slices.ContainsFunc(info.Vars, func(o codec.VarInfo) bool { return o.Scope == scope && o.Name == name }) {
		refuse(call, "the message sets the variable already: remove one of them")
	}
	info.Sets = append(info.Sets, v)
	return r
}

// Buffer sets the minimum size of HAProxy's tune.bufsize, in bytes, for the handler: a
// request's head and body must fit into it together.
func (r *Route) Buffer(bytes int) *Route {
	if bytes <= 0 {
		refuse(r.method("Buffer"), "no buffer has %d bytes: write the number that tune.bufsize must have, or leave it out", bytes)
	}
	r.entry.info.Buffer = bytes
	return r
}

// method returns the text of a call, for a panic.
func (r *Route) method(method string, args ...string) string {
	return r.call + "." + method + "(" + quoted(args...) + ")"
}

// checkEngine panics if HAProxy would reject the name of an engine.
func checkEngine(call, name string) {
	if name == "" {
		refuse(call, "the engine has no name: write the one of HAProxy's line \"filter spoe engine <name>\"")
	}
	checkSection(call, "the name of the engine has", name)
}

func checkArg(call, name, fetch string) {
	switch {
	case strings.TrimSpace(fetch) == "":
		refuse(call, "the argument has no sample expression: write one, such as req.hdr(host)")
	case hasControl(fetch):
		refuse(call, "the sample expression has a control character: write it on one line")
	}
	for _, c := range name {
		if c <= ' ' || c == '=' || c == 0x7f {
			refuse(call, "HAProxy's configuration cannot have the argument name %q: use letters, digits, '-', '_' and '.'", name)
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

// checkSection panics with a problem if a name has a character that names in HAProxy's
// configuration do not have (invalid_char in its source).
func checkSection(call, problem, name string) {
	for _, c := range name {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("-_.:", c)) {
			refuse(call, "%s the character %q: use letters, digits, '-', '_', '.' and ':'", problem, c)
		}
	}
}

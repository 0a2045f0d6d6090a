package write

import (
	"regexp"
	"slices"
	"strings"

	"github.com/spoke-go/spoke/haproxy/internal/model"
	"github.com/spoke-go/spoke/haproxy/internal/syntax"
	"github.com/spoke-go/spoke/router"
)

// unanswered are the conditions under which a stage has no answer, one for each
// rule. A variable that each answer sets, and nothing else, is the surest sign;
// where one of the messages has none, there are those of failures.
func (c *Config) unanswered(a model.Agent, e router.Event) []string {
	if signs := c.signs(a, e); signs != nil {
		return signs
	}
	condition := "if { var(" + c.fullName("txn", errorVar) + ") -m found }"
	if failure := c.failure(a, e); failure != "" {
		condition += " || { var(" + failure + ") -m found }"
	}
	return []string{condition}
}

// signs are conditions under which a variable is not found that an answer of the
// stage sets, or nil where there is no such variable for one of its messages.
func (c *Config) signs(a model.Agent, e router.Event) []string {
	var found, conditions []string
	for _, m := range a.Messages {
		if !m.SetsVars() || rejecting[m.On()] != rejecting[e] || inBackend(m.On()) != inBackend(e) {
			continue
		}
		i := slices.IndexFunc(m.Vars, func(v model.Var) bool { return v.Always && lasts(v.Scope, e) && setters(&a, v) == 1 })
		if i < 0 {
			return nil
		}
		sign := "{ var(" + c.fullName(m.Vars[i].Scope, m.Vars[i].Name) + ") -m found }"
		switch terms, ok := terms(&m); {
		case m.Group != "": // its rule may get a condition, which this one then needs
			conditions = append(conditions, "if !"+sign)
		case m.Condition == "":
			found = append(found, sign)
		case ok:
			conditions = append(conditions, "if "+terms+" !"+sign)
		default:
			return nil
		}
	}
	for part := range slices.Chunk(found, 8) { // HAProxy has up to 64 words in a line
		conditions = append(conditions, "unless "+strings.Join(part, " "))
	}
	return conditions
}

// steady are samples, and steadyACL are HAProxy's own ACLs, that are in a stage's
// rules what they were on its event, unlike rand, var and sc_http_req_rate.
var (
	steady = regexp.MustCompile(`^((src|dst)(_port|_is_local)?|` +
		`(path|url|base|query|method|hdr|cook|status|always_|req\.hdr|req\.cook|req\.ver|res\.hdr|res\.cook|ssl_fc|ssl_c_)[a-z0-9_]*)` +
		`([(,]|$)`)
	steadyACL = regexp.MustCompile(`^(HTTP.*|METH_.*|LOCALHOST|TRUE|FALSE)$`)
)

// terms returns what has to hold for the message to be sent, as terms to which one
// more can be added; ok is false where there are alternatives, or where it may be
// otherwise when the rule is evaluated.
func terms(m *model.Message) (terms string, ok bool) {
	terms, ok = strings.CutPrefix(m.Condition, "if ")
	list, err := syntax.Words(terms, nil)
	ok = ok && err == nil && len(list) < maxList/2
	inside := false // of braces
	for i, w := range list {
		switch w = strings.TrimLeft(w, "!"); {
		case w == "{":
			inside = true
			ok = ok && i+1 < len(list) && steady.MatchString(list[i+1]) && !strings.Contains(list[i+1], "table")
		case w == "}":
			inside = false
		case !inside && w != "": // "or" is none, either
			ok = ok && steadyACL.MatchString(w)
		}
	}
	return strings.TrimSpace(terms), ok
}

// setters returns how many messages set a variable.
func setters(a *model.Agent, v model.Var) (n int) {
	for _, m := range a.Messages {
		if slices.ContainsFunc(m.Vars, func(o model.Var) bool { return o.Scope == v.Scope && o.Name == v.Name }) {
			n++
		}
	}
	return n
}

// failure is the variable that says in a stage's rules that a handler failed, or
// empty.
func (c *Config) failure(a model.Agent, e router.Event) string {
	if scope, name, ok := strings.Cut(a.FailureVar, "."); ok && lasts(scope, e) {
		return c.fullName(scope, name)
	}
	return ""
}

// tellsFailures tells whether a stage's rules see that a handler failed.
func (c *Config) tellsFailures(a model.Agent, e router.Event) bool {
	return c.signs(a, e) != nil || c.failure(a, e) != ""
}

// lasts tells whether a variable that is set in a stage is there in the stage's
// rules, and not from an earlier request.
func lasts(scope string, e router.Event) bool {
	response := e == router.OnTCPResponse || e == router.OnHTTPResponse
	return scope == "txn" || scope == "res" && response || scope == "req" && !response && e != router.OnServerSession
}

// rejecting is the rule that refuses a request, by the event that has no answer.
var rejecting = map[router.Event]string{
	router.OnClientSession:       "tcp-request content reject",
	router.OnFrontendTCPRequest:  "tcp-request content reject",
	router.OnBackendTCPRequest:   "tcp-request content reject",
	router.OnFrontendHTTPRequest: "http-request deny deny_status 503",
	router.OnBackendHTTPRequest:  "http-request deny deny_status 503",
	router.OnServerSession:       "tcp-response content reject",
	router.OnTCPResponse:         "tcp-response content reject",
	router.OnHTTPResponse:        "http-response deny deny_status 502",
}

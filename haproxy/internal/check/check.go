package check

import (
	"cmp"
	"errors"
	"slices"

	"github.com/spoke-go/spoke/haproxy/internal/model"
	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

// The kinds of findings, the values of Finding.Code.
const (
	MessageUnhandled    = "message-unhandled"     // a message without a handler
	MessageUncalled     = "message-uncalled"      // a handler whose message is never sent
	EventAndGroup       = "event-and-group"       // an event and a rule send it
	ArgumentMissing     = "argument-missing"      // required, but not sent
	RequiredNull        = "required-null"         // required, but NULL for some requests
	ArgumentUnknown     = "argument-unknown"      // sent, but not read
	ArgumentType        = "argument-type"         // sent as a type that the field cannot take
	VariableUnknown     = "variable-unknown"      // set by the agent, but nowhere in the configuration
	VariableNeverSet    = "variable-never-set"    // read by a rule, but never set
	VariableTooLong     = "variable-too-long"     // over 63 bytes with scope and prefix
	VariableSetLater    = "variable-set-later"    // read by an event, but set by a rule that comes later
	VariableReadEarly   = "variable-read-early"   // read by a rule before the message that sets it
	DeadlineTooLong     = "deadline-too-long"     // the agent's deadline is not below timeout processing
	NoProcessingTimeout = "no-processing-timeout" // no timeout processing
	BodyNotBuffered     = "body-not-buffered"     // a body is sent before HAProxy has it
	BufferTooSmall      = "buffer-too-small"      // tune.bufsize is less than a handler asks for
	NoHealthCheck       = "no-health-check"       // the agents' servers are not checked, or not over SPOP
	NoSetOnError        = "no-set-on-error"       // no variable reports a missing answer
	ErrorUnread         = "error-unread"          // no rule reads that variable
	InterruptedPasses   = "interrupted-passes"    // a visitor who half-closes passes the rules
	TooLongPasses       = "too-long-passes"       // a visitor with a long request passes the rules
	NoInspectDelay      = "no-inspect-delay"      // a rule on content that does not wait
	ContentTooEarly     = "content-too-early"     // an argument of content, on an event of TCP
	RuleNotReached      = "rule-not-reached"      // a rule after one that ends the rules
	ArgumentSetLater    = "argument-set-later"    // a rule changes an argument after it was sent
	ArgumentAlwaysNull  = "argument-always-null"  // an argument that needs another line
	TimeoutTooShort     = "timeout-too-short"     // a timeout of the backend is shorter than timeout processing
	NotSPOP             = "not-spop"              // a server line that speaks another protocol
	NoServer            = "no-server"             // no server in the agents' backend is asked
	BackendRefuses      = "backend-refuses"       // a rule of the agents' backend refuses the connections to them
	FilterLeftOut       = "filter-left-out"       // a filter-sequence without spoe
	LargeBuffer         = "large-buffer"          // a body of a large buffer, which is not sent
	AsksForEver         = "asks-for-ever"         // events and groups in one engine, before HAProxy 2.5
	EngineDiffers       = "engine-differs"        // the route names another engine than the one that sends
	VariableOverwritten = "variable-overwritten"  // a rule sets it again before another one reads it
	VariableGone        = "variable-gone"         // read, or set, before or after its scope
	VariableCompared    = "variable-compared"     // compared with a value that its type never has, or always
	SentTwice           = "sent-twice"            // two filter lines send a message on the same event
	AgentNotKept        = "agent-not-kept"        // a message that needs the agent of an earlier one goes to any agent
	SharedVerdict       = "shared-verdict"        // a verdict about one request, kept for the whole connection
)

// Check is haproxy.Check.
func Check(a model.Agent, s Sources) ([]Finding, error) {
	r, err := syntax.NewReader(s.Version, s.LookupEnv)
	if err != nil {
		return nil, err
	}
	if len(s.Configs) == 0 {
		return nil, errors.New("haproxy: no file to check: name haproxy.cfg")
	}
	var cfg syntax.Configuration
	for _, name := range s.Configs {
		names, err := syntax.Files(name)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			lines, err := r.Read(name)
			if err != nil {
				return nil, err
			}
			cfg.Parse(lines)
		}
	}
	engines, chosen, err := chooseEngines(&a, &cfg, s, r)
	if err != nil {
		return nil, err
	}
	checkers := make([]*checker, len(engines))
	for i, u := range engines {
		checkers[i] = &checker{agent: &a, cfg: &cfg, loadedEngine: u, version: r.Version, anyVersion: r.AnyOf}
	}
	var findings []Finding
	for _, i := range chosen {
		c := checkers[i]
		c.first = i == chosen[0]
		for j, other := range checkers {
			if j != i {
				c.others = append(c.others, other)
			}
			if j != i && slices.Contains(chosen, j) {
				c.siblings = append(c.siblings, other)
			}
		}
		c.occurrences = c.findOccurrences()
		c.check()
		for _, f := range c.findings {
			if !slices.Contains(findings, f) {
				findings = append(findings, f)
			}
		}
	}
	slices.SortStableFunc(findings, func(x, y Finding) int {
		return cmp.Or(cmp.Compare(x.File, y.File), cmp.Compare(x.Line, y.Line))
	})
	return findings, nil
}

// checker has the data that all checks use. Each kind of check has its own file.
type checker struct {
	agent *model.Agent
	cfg   *syntax.Configuration
	loadedEngine
	others      []*checker // of the other engines
	siblings    []*checker // the engines of others that ask the same agent
	first       bool       // the first of the engines that ask the agent
	occurrences []occurrence
	version     syntax.Version // of HAProxy
	anyVersion  bool           // HAProxy's version is not known
	findings    []Finding
}

// since reports whether HAProxy certainly has this version or a later one.
func (c *checker) since(major, minor int) bool {
	return !c.anyVersion && c.version.AtLeast(major, minor)
}

// before reports whether HAProxy certainly has an earlier version.
func (c *checker) before(major, minor int) bool {
	return !c.anyVersion && !c.version.AtLeast(major, minor)
}

func (c *checker) check() {
	c.checkAgent()
	c.checkMessages()
	for _, m := range c.engine.Messages {
		known := c.agent.Message(m.Name)
		if known == nil || len(c.sendings(m)) == 0 {
			continue
		}
		c.checkArgs(m, known)
		c.checkOrder(m)
		c.checkChanges(m)
		c.checkNeeds(m)
		c.checkWaiting(m)
		c.checkSession(m, known)
		c.checkTwice(m)
		c.checkBody(m)
		c.checkBuffer(m, known)
		c.checkLarge(m)
		c.checkPaired(m, known)
	}
	c.checkVars()
	c.checkScopes()
	c.checkComparisons()
	c.checkAnswers()
	c.checkVerdicts()
	c.checkClosed()
	c.checkBackend()
	c.checkSequence()
	c.checkForEver()
	c.checkTimeouts()
}

// find adds a finding, once: an engine may be loaded by several filter lines.
func (c *checker) find(code string, at syntax.Directive, problem, effect, fix string) {
	f := Finding{Code: code, File: at.File, Line: at.Line, Problem: problem, Effect: effect, Fix: fix}
	if !slices.Contains(c.findings, f) {
		c.findings = append(c.findings, f)
	}
}

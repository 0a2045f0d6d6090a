package write

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/haproxy/internal/model"
	"github.com/spoke-go/spoke/haproxy/internal/samples"
	"github.com/spoke-go/spoke/haproxy/internal/syntax"
	"github.com/spoke-go/spoke/router"
)

// verifyAgent returns an error for all that Write lacks, and for lines that HAProxy
// would accept and ignore.
func verifyAgent(a *model.Agent, engines []engine) error {
	if len(a.Messages) == 0 {
		return errors.New("haproxy: there is no message: register a handler first")
	}
	if err := a.Validate(); err != nil {
		return fmt.Errorf("haproxy: %w", err)
	}
	var errs []error
	for _, e := range engines {
		errs = append(errs, e.verify())
	}
	return errors.Join(errs...)
}

func (e *engine) verify() error {
	var errs []error
	c := e.config
	if scope, name, ok := strings.Cut(e.agent.FailureVar, "."); ok {
		if full := c.fullName(scope, name); len(full) > codec.MaxVarName {
			errs = append(errs, fmt.Errorf("haproxy: "+tooLong, full, len(full), codec.MaxVarName))
		}
	}
	for _, m := range e.agent.Messages {
		for _, err := range verifyMessage(&m, c) {
			errs = append(errs, fmt.Errorf("haproxy: message %q%s: %w", m.Name, m.Where(), err))
		}
	}
	if !e.inFrontend() && slices.ContainsFunc(e.agent.Messages, func(m model.Message) bool { return !inBackend(m.On()) }) {
		errs = append(errs, fmt.Errorf("haproxy: the engine %q has groups for rules of backends, and messages for the frontend: HAProxy would send the messages twice; give the groups an engine of their own, .Engine(\"name\")", c.Engine))
	}
	if c.FailClosed {
		for _, stage := range stages(&e.agent) {
			for _, b := range c.verdicts(e.agent, stage).unseen {
				errs = append(errs, fmt.Errorf("haproxy: message %q%s cannot fail closed: %w, or set Config.FailClosed to false", b.message.Name, b.message.Where(), b.reason))
			}
		}
	}
	return errors.Join(errs...)
}

const tooLong = "the variable %s has %d bytes, HAProxy takes %d at most: shorten Config.Prefix or the name"

func verifyMessage(m *model.Message, c Config) (errs []error) {
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if m.Event == "" && m.Group == "" {
		wrong("it is not said when HAProxy sends it: write Handle(…).Event(router.OnFrontendHTTPRequest), or .Group(\"name\") for a rule to send it")
	}
	if err := syntax.CheckCondition(m.Condition); err != nil {
		wrong("the condition %q has %w", m.Condition, err)
	}
	if m.Group != "" && c.before(2, 4) && ruleSets[m.On()] == tcpResponse {
		wrong("HAProxy before 2.4 never sends a group by tcp-response rules: use an event")
	}
	if c.before(2, 4) && slices.ContainsFunc(m.Args, func(a model.Arg) bool { return samples.FetchesBody(samples.Unquoted(a.Fetch), "res.") }) {
		wrong("HAProxy before 2.4 cannot wait for the body of a response: use a later version, or leave the body out")
	}
	if len(m.Args) > codec.MaxArgs {
		wrong("it has %d arguments, and a message has %d at most", len(m.Args), codec.MaxArgs)
	}
	for _, arg := range m.Args {
		word, err := syntax.OneWord(arg.Fetch)
		switch {
		case arg.Fetch == "" && arg.Field != "":
			wrong("it is not said where HAProxy has the argument %q from: write a tag behind the field %s, such as `fetch:\"src\"`", arg.Label(), arg.Field)
		case errors.Is(err, syntax.ErrNotOne):
			wrong("the argument %q: the sample %s is not one word: put it between double quotes, or a backslash before each space and '#'", arg.Label(), arg.Fetch)
		case err != nil:
			wrong("the argument %q: the sample %s has %w", arg.Label(), arg.Fetch, err)
		case beginsWithName.MatchString(word) && arg.Name != "":
			wrong("the argument %q: the sample %s begins with a name: write the sample alone, `fetch:%q`", arg.Label(), arg.Fetch, word[strings.IndexByte(word, '=')+1:])
		case strings.ContainsAny(arg.Name, " \"#$'=\\"):
			wrong("the argument %q: HAProxy's configuration has no such name: use letters, digits, '-', '_' and '.'", arg.Label())
		case !arg.Shared && m.Event+m.Group != "" && !m.HasSample(arg.Fetch):
			wrong("the argument %q: HAProxy does not have %s on %s, and refuses it: take another sample or event", arg.Label(), arg.Fetch, m.On())
		case !samples.Fits(samples.Types(word), arg.Types):
			wrong("the argument %q: HAProxy sends %s as %s, and the field %s (%s) takes %s: take another sample%s, or change the field's type",
				arg.Label(), arg.Fetch, strings.Join(samples.Types(word), " or "), arg.Field, arg.Go, strings.Join(arg.Types, ", "), samples.Convert(arg.Types))
		case m.Group == "" && readsContent(word, m.On()):
			wrong("the argument %q: HAProxy sends %s as NULL on %s, which comes before the connection's first bytes: add .Group(\"name\") for a rule that waits for them", arg.Label(), arg.Fetch, m.On())
		case arg.Name == "" && strings.Contains(word, "="):
			wrong("the argument %q: HAProxy would take %s for a name and a sample, as it has a '=': give the argument a name", arg.Label(), arg.Fetch)
		}
	}
	if err := m.CheckPositions(); err != nil {
		wrong("%w", err)
	}
	for _, v := range m.Vars {
		full := c.fullName(v.Scope, v.Name)
		switch {
		case len(full) > codec.MaxVarName:
			wrong(tooLong, full, len(full), codec.MaxVarName)
		case v.Scope == "txn" && (v.Name == errorVar || v.Name == processTimeVar):
			wrong("the variable %s is HAProxy's own (set-on-error, set-process-time): give the agent's another name", full)
		}
	}
	if m.Buffer >= maxBuffer {
		wrong("HAProxy has no buffer of %d bytes, it must be smaller than %d", m.Buffer, maxBuffer)
	}
	return errs
}

// maxBuffer is the size in bytes below which tune.bufsize must be.
const maxBuffer = 256 << 20

// beginsWithName matches an argument with its name, as in an args line, not only a
// sample.
var beginsWithName = regexp.MustCompile(`^[\w.-]+=`)

// readsContent reports whether a sample reads bytes of a connection that arrive only
// after a TCP event.
func readsContent(fetch string, on router.Event) bool {
	side := ""
	switch ruleSets[on] {
	case tcpRequest:
		side = "req."
	case tcpResponse:
		side = "res."
	}
	name := samples.Name(fetch)
	return side != "" && strings.HasPrefix(name, side) && (samples.OfContent(fetch) || name == "req.proto_http")
}

package haproxy

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/spoke-go/spoke/codec"
)

// checkWritable tells what HAProxy's half cannot be written without, and what
// HAProxy would take in silence and not do.
func (a *Agent) checkWritable(c Config) error {
	var errs []error
	if len(a.Messages) == 0 {
		errs = append(errs, errors.New("haproxy: there is no message: register a handler first"))
	}
	if err := a.validate(); err != nil {
		return fmt.Errorf("haproxy: %w", err)
	}
	if scope, name, ok := strings.Cut(a.FailureVar, "."); ok {
		if full := c.fullName(scope, name); len(full) > codec.MaxVarName {
			errs = append(errs, fmt.Errorf("haproxy: "+tooLong, full, len(full), codec.MaxVarName))
		}
	}
	for _, m := range a.Messages {
		for _, err := range m.checkWritable(c) {
			errs = append(errs, fmt.Errorf("haproxy: message %q%s: %w", m.Name, m.at(), err))
		}
	}
	return errors.Join(errs...)
}

const tooLong = "the variable %s has %d bytes, HAProxy takes %d at most: shorten Config.Prefix or the name"

func (m *Message) checkWritable(c Config) (errs []error) {
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if m.Event == "" && m.Group == "" {
		wrong("it is not said when HAProxy sends it: write Handle(…).Event(router.OnFrontendHTTPRequest), or .Group(\"name\") for a rule to send it")
	}
	if err := checkCondition(m.Condition); err != nil {
		wrong("the condition %q has %w", m.Condition, err)
	}
	if len(m.Args) > codec.MaxArgs {
		wrong("it has %d arguments, and a message has %d at most", len(m.Args), codec.MaxArgs)
	}
	for _, arg := range m.Args {
		word, err := oneWord(arg.Fetch)
		switch {
		case arg.Fetch == "" && arg.Field != "":
			wrong("it is not said where HAProxy has the argument %q from: write a tag behind the field %s, such as `fetch:\"src\"`", arg.label(), arg.Field)
		case errors.Is(err, errNotOne):
			wrong("the argument %q: the sample %s is not one word: put it between double quotes, or a backslash before each space and '#'", arg.label(), arg.Fetch)
		case err != nil:
			wrong("the argument %q: the sample %s has %w", arg.label(), arg.Fetch, err)
		case beginsWithName.MatchString(word) && arg.Name != "":
			wrong("the argument %q: the sample %s begins with a name: write the sample alone, `fetch:%q`", arg.label(), arg.Fetch, word[strings.IndexByte(word, '=')+1:])
		case strings.ContainsAny(arg.Name, " \"#$'=\\"):
			wrong("the argument %q: HAProxy's configuration has no such name: use letters, digits, '-', '_' and '.'", arg.label())
		case !arg.Shared && m.Event+m.Group != "" && !m.hasSample(arg.Fetch):
			wrong("the argument %q: HAProxy does not have %s on %s, and refuses it: take another sample or event", arg.label(), arg.Fetch, m.on())
		case !fits(sampleTypes(word), arg.Types):
			wrong("the argument %q: HAProxy sends %s as %s, and the field %s (%s) takes %s: take another sample%s, or change the field's type",
				arg.label(), arg.Fetch, strings.Join(sampleTypes(word), " or "), arg.Field, arg.Go, strings.Join(arg.Types, ", "), convert(arg.Types))
		case arg.Name == "" && strings.Contains(word, "="):
			wrong("the argument %q: HAProxy would take %s for a name and a sample, as it has a '=': give the argument a name", arg.label(), arg.Fetch)
		}
	}
	if err := m.checkPositions(); err != nil {
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

// maxBuffer is what tune.bufsize must be smaller than, in bytes.
const maxBuffer = 256 << 20

// errNotOne tells that a text is not one word of a line.
var errNotOne = errors.New("more or less than one word")

// oneWord returns a text as HAProxy has it that is one word in a line with others.
func oneWord(s string) (string, error) {
	w, err := words(s+" end", anyEnv)
	if err == nil && (len(w) != 2 || strings.TrimSpace(s) != s || hasControl(s)) {
		err = errNotOne
	}
	if err != nil {
		return "", err
	}
	return w[0], nil
}

// beginsWithName is what an args line has, rather than the sample in it.
var beginsWithName = regexp.MustCompile(`^[\w.-]+=`)

// checkOpen tells whether the rest of a line that a text begins would still be
// read as what it is.
func checkOpen(s string) error {
	w, err := words(s+" end", anyEnv)
	switch {
	case err != nil:
		return err
	case len(w) == 0 || w[len(w)-1] != "end" || hasControl(s):
		return errors.New("a '#' that begins a comment, a backslash at its end, or a line end: put a backslash before it")
	}
	return nil
}

// anyEnv is an environment of which nothing is known but that each variable is a word.
func anyEnv(string) (string, bool) { return "word", true }

// checkCondition tells whether the SPOE file can have a condition. It has no ACL
// with a name but those of HAProxy's own, which are in capitals.
func checkCondition(s string) error {
	if err := checkOpen(s); err != nil {
		return err
	}
	w, err := words(s, anyEnv)
	depth := 0
	for i, word := range w {
		switch word = strings.TrimLeft(word, "!"); {
		case word == "{":
			depth++
		case word == "}":
			depth--
		case i > 0 && depth == 0 && word != "or" && strings.ToUpper(word) != word:
			return fmt.Errorf("the ACL %s, which the SPOE file does not have: write what it is between braces", word)
		}
	}
	return err
}

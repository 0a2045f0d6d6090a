package write

import (
	"regexp"
	"slices"
	"strings"

	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

// term is one test of a condition, such as "!{ path_beg /a }" or METH_GET.
type term struct {
	not  bool
	test string // as the condition writes it, without '!'
	// steady reports whether the test has the same result in the rules that follow
	// the event, unlike rand or a rate.
	steady bool
}

func (t term) String() string {
	if t.not {
		return "!" + t.test
	}
	return t.test
}

// alternatives is a condition: it holds if all terms of one alternative hold.
type alternatives [][]term

// maxAlternatives bounds the rules that are written for one condition.
const maxAlternatives = 16

// parseCondition reads "if …" or "unless …". It returns false for a condition that rules
// cannot repeat, because it is not steady or has too many alternatives.
func (c *Config) parseCondition(condition string) (alternatives, bool) {
	keyword, rest, _ := strings.Cut(condition, " ")
	words, err := syntax.RawWords(rest)
	if err != nil || len(words) > syntaxWords/2 {
		return nil, false
	}
	all := alternatives{nil}
	not := false
	for i := 0; i < len(words); i++ {
		w := words[i]
		for strings.HasPrefix(w, "!") {
			not, w = !not, w[1:]
		}
		t := term{not: not}
		switch {
		case w == "":
			continue
		case w == "||" || strings.EqualFold(w, "or"):
			all = append(all, nil)
			continue
		case w == "{":
			end := slices.Index(words[i:], "}")
			if end < 2 {
				return nil, false
			}
			t.test = strings.Join(append([]string{"{"}, words[i+1:i+end+1]...), " ")
			t.steady = c.steady(words[i+1])
			i += end
		default:
			t.test, t.steady = w, steadyACL.MatchString(w)
		}
		not = false
		if !t.steady {
			return nil, false
		}
		all[len(all)-1] = append(all[len(all)-1], t)
	}
	if keyword == "unless" {
		return all.negate()
	}
	return all, len(all) <= maxAlternatives
}

// negate returns the condition that holds if this one does not.
func (a alternatives) negate() (alternatives, bool) {
	negated := alternatives{nil}
	for _, terms := range a {
		var next alternatives
		for _, n := range negated {
			for _, t := range terms {
				t.not = !t.not
				next = append(next, append(slices.Clone(n), t))
			}
		}
		if negated = next; len(negated) > maxAlternatives {
			return nil, false
		}
	}
	return negated, true
}

// syntaxWords is the maximum number of words that HAProxy reads in a line.
const syntaxWords = 64

var (
	// steadySample matches the samples that do not change between an event and the
	// rules that follow it.
	steadySample = regexp.MustCompile(`^((src|dst)(_port|_is_local)?|` +
		`(path|url|base|query|method|hdr|cook|status|always_|req\.(hdr|cook|ver|fhdr|body|ssl_)|res\.(hdr|cook|ver|fhdr)|` +
		`ssl_fc|ssl_c_|http_auth|fe_(id|name)|so_(id|name)|env|str|int|bool|bin|unique-id)[a-z0-9_]*)` +
		`([(,]|$)`)
	steadyACL = regexp.MustCompile(`^(HTTP.*|METH_.*|LOCALHOST|TRUE|FALSE)$`)
	varSample = regexp.MustCompile(`^var\((?:proc|sess|txn|req|res)\.([^,)]+)`)
)

// steady reports whether a sample has the same value in the rules that follow the event. A
// variable does, unless the agent sets it.
func (c *Config) steady(sample string) bool {
	sample = strings.Trim(sample, `"'`)
	if m := varSample.FindStringSubmatch(sample); m != nil {
		return !strings.HasPrefix(m[1], c.Prefix+".")
	}
	return steadySample.MatchString(sample) && !strings.Contains(sample, "table")
}

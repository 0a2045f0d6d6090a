package haproxy

import (
	"errors"
	"strings"
)

// words splits a line of HAProxy's configuration (configuration.txt, "Quoting and
// escaping"). getenv gives the environment's variables, which are expanded
// between double quotes; without it they stay as they are.
func words(line string, getenv func(string) (string, bool)) ([]string, error) {
	w := wordReader{in: line, getenv: getenv}
	return w.read()
}

type wordReader struct {
	in     string
	getenv func(string) (string, bool)
	words  []string
	word   strings.Builder
	inside bool // a word has begun, if only by quotes
}

func (r *wordReader) read() ([]string, error) {
	for r.in != "" {
		switch c := r.in[0]; {
		case c == '#':
			r.in = ""
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			r.end()
			r.in = r.in[1:]
		case c == '\'':
			text, rest, ok := strings.Cut(r.in[1:], "'")
			if !ok {
				return nil, errors.New("a single quote that is not closed")
			}
			r.add(text)
			r.in = rest
		case c == '"':
			if err := r.quoted(); err != nil {
				return nil, err
			}
		case c == '\\':
			r.escape()
		default:
			r.add(r.in[:1])
			r.in = r.in[1:]
		}
	}
	r.end()
	return r.words, nil
}

func (r *wordReader) add(s string) {
	r.word.WriteString(s)
	r.inside = true
}

func (r *wordReader) end() {
	if r.inside {
		r.words = append(r.words, r.word.String())
	}
	r.word.Reset()
	r.inside = false
}

// quoted reads from one double quote to the next.
func (r *wordReader) quoted() error {
	r.add("")
	r.in = r.in[1:]
	for r.in != "" {
		switch c := r.in[0]; {
		case c == '"':
			r.in = r.in[1:]
			return nil
		case c == '\\' && len(r.in) > 1 && strings.IndexByte(`"\$#`, r.in[1]) >= 0:
			r.add(r.in[1:2])
			r.in = r.in[2:]
		case c == '\\':
			r.escape()
		case c == '$' && r.getenv != nil:
			r.expand()
		default:
			r.add(r.in[:1])
			r.in = r.in[1:]
		}
	}
	return errors.New("a double quote that is not closed")
}

var escapes = map[byte]string{'n': "\n", 'r': "\r", 't': "\t"}

// escape reads what a backslash begins.
func (r *wordReader) escape() {
	if len(r.in) < 2 {
		r.add(`\`)
		r.in = ""
		return
	}
	if s, ok := escapes[r.in[1]]; ok {
		r.add(s)
	} else {
		r.add(r.in[1:2])
	}
	r.in = r.in[2:]
}

// expand reads $NAME, ${NAME} or ${NAME-default}.
func (r *wordReader) expand() {
	rest := r.in[1:]
	braces := strings.HasPrefix(rest, "{")
	rest = strings.TrimPrefix(rest, "{")
	n := 0
	for n < len(rest) && (isNameByte(rune(rest[n])) && rest[n] != '.') {
		n++
	}
	name, def := rest[:n], ""
	rest = rest[n:]
	if braces {
		inside, after, ok := strings.Cut(rest, "}")
		if !ok {
			r.add(r.in[:1])
			r.in = r.in[1:]
			return
		}
		def, rest = strings.TrimPrefix(inside, "-"), after
	}
	if name == "" {
		r.add("$")
		r.in = r.in[1:]
		return
	}
	v, ok := r.getenv(name)
	if !ok {
		v = def
	}
	r.add(v)
	r.in = rest
}

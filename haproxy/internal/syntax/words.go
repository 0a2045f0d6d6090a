package syntax

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Words splits a line of HAProxy's configuration (configuration.txt, "Quoting and
// escaping"; parse_line in its source). getenv returns the variables of the
// environment, which Words expands between double quotes; if it is nil, they stay
// unchanged.
func Words(line string, getenv func(string) (string, bool)) ([]string, error) {
	w := wordReader{line: line, in: line, getenv: getenv}
	return w.read()
}

// RawWords returns the words of a line as they are written, with quotes and backslashes.
func RawWords(line string) ([]string, error) {
	w := wordReader{line: line, in: line}
	_, err := w.read()
	return w.raw, err
}

// wordsUnset is Words that also returns the first variable which is not set and has
// no default, or "".
func wordsUnset(line string, getenv func(string) (string, bool)) (words []string, unset string, err error) {
	w := wordReader{line: line, in: line, getenv: getenv}
	words, err = w.read()
	return words, w.unset, err
}

// maxWord is the maximum size of a word with its variables, in bytes: no directive
// needs more, and a few lines of setenv can double one over and over.
const maxWord = 64 << 10

type wordReader struct {
	line   string
	in     string // the rest of line
	getenv func(string) (string, bool)
	words  []string
	raw    []string // the words as line has them
	from   int      // where the word begins in line
	word   strings.Builder
	inside bool // in a word, even an empty one in quotes
	unset  string
}

func (r *wordReader) read() ([]string, error) {
	for r.in != "" {
		switch c := r.in[0]; {
		case c == '#':
			r.end()
			r.in = ""
		case isSpace(c):
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
			r.escape(` \#'"`)
		default:
			r.add(r.in[:1])
			r.in = r.in[1:]
		}
	}
	r.end()
	return r.words, nil
}

func isSpace(c byte) bool { return strings.IndexByte(" \t\n\v\f\r", c) >= 0 }

// begin begins a word, if none has begun.
func (r *wordReader) begin() {
	if !r.inside {
		r.inside, r.from = true, len(r.line)-len(r.in)
	}
}

func (r *wordReader) add(s string) {
	r.begin()
	r.word.WriteString(s)
}

func (r *wordReader) end() {
	if r.inside {
		r.words = append(r.words, r.word.String())
		r.raw = append(r.raw, r.line[r.from:len(r.line)-len(r.in)])
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
		case c == '\\':
			r.escape(` \#'"$`)
		case c == '$' && r.getenv != nil:
			if err := r.expand(); err != nil {
				return err
			}
		default:
			r.add(r.in[:1])
			r.in = r.in[1:]
		}
	}
	return errors.New("a double quote that is not closed")
}

var escapes = map[byte]string{'n': "\n", 'r': "\r", 't': "\t"}

// escape reads an escape sequence. A backslash before any other character stands for
// itself, as in regular expressions.
func (r *wordReader) escape(plain string) {
	r.begin()
	r.in = r.in[1:]
	if r.in == "" {
		r.add(`\`)
		return
	}
	b, hex := hexByte(r.in)
	switch c := r.in[0]; {
	case strings.IndexByte(plain, c) >= 0:
		r.add(r.in[:1])
		r.in = r.in[1:]
	case escapes[c] != "":
		r.add(escapes[c])
		r.in = r.in[1:]
	case hex:
		r.add(b)
		r.in = r.in[3:]
	default:
		r.add(`\`)
	}
}

// hexByte reads "x41".
func hexByte(s string) (string, bool) {
	if len(s) < 3 || s[0] != 'x' {
		return "", false
	}
	b, err := strconv.ParseUint(s[1:3], 16, 8)
	return string([]byte{byte(b)}), err == nil
}

// expand reads $NAME or ${NAME}, which may be several words, ${NAME[*]}, and have
// a default, ${NAME-default}.
func (r *wordReader) expand() error {
	rest, braces := strings.CutPrefix(r.in[1:], "{")
	n := len(rest) - len(strings.TrimPrefix(rest, ".")) // HAProxy's own: .FILE and .LINE
	for n < len(rest) && IsNameByte(rune(rest[n])) && rest[n] != '.' {
		n++
	}
	name, rest := rest[:n], rest[n:]
	if name == "" || name == "." || '0' <= name[0] && name[0] <= '9' {
		return errors.New("a '$' without the name of a variable behind it")
	}
	v, ok := r.getenv(name)
	several, hasDefault := false, false
	if braces {
		var def string
		rest, several = strings.CutPrefix(rest, "[*]")
		def, rest, braces = strings.Cut(rest, "}")
		if !braces || def != "" && def[0] != '-' {
			return errors.New("the brace behind a '$' is not closed")
		}
		hasDefault = def != ""
		if !ok {
			v = strings.TrimPrefix(def, "-")
		}
	}
	// HAProxy sets .FILE, .LINE and HAPROXY_… itself.
	if !ok && !hasDefault && r.unset == "" && name[0] != '.' && !strings.HasPrefix(name, "HAPROXY_") {
		r.unset = name
	}
	if r.word.Len()+len(v) > maxWord {
		return fmt.Errorf("the variable %s makes a word longer than %d bytes", name, maxWord)
	}
	r.in = rest
	if several {
		r.addWords(v)
	} else {
		r.add(v)
	}
	return nil
}

// addWords adds a text in which each space ends a word.
func (r *wordReader) addWords(s string) {
	for i := range len(s) {
		if isSpace(s[i]) {
			r.end()
		} else {
			r.add(s[i : i+1])
		}
	}
}

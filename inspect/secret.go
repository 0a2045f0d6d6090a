package inspect

import (
	"bytes"
	"slices"
	"strings"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/internal/secret"
)

const redacted = "REDACTED"

func (p *Page) secretArg(name string) bool {
	return p.secrets.Arg(name) || isSecretHeader(name)
}

func (p *Page) secretVar(scope codec.Scope, name string) bool {
	return p.secrets.Var(scope, name) || isSecretHeader(name)
}

// isSecretHeader reports whether name is a secret header, also as the last part of
// an argument's or a variable's name.
func isSecretHeader(name string) bool {
	return secret.Header(name[strings.LastIndexByte(name, '.')+1:])
}

// mentionsSecret reports whether b has the name of a secret header anywhere.
func mentionsSecret(b []byte) bool {
	b = bytes.ToLower(b)
	return slices.ContainsFunc(secret.Headers, func(h string) bool { return bytes.Contains(b, []byte(h)) })
}

// readBlock returns the header block in b as lines, with secrets hidden. ok reports
// whether all of b is a header block.
func readBlock(b []byte) (lines string, hidden, ok bool) {
	block := codec.NewHeaderBlock(b)
	if len(b) < 2 || block.Err() != nil {
		return "", false, false
	}
	var s strings.Builder
	size := 0
	for name, value := range block.All() {
		if name == "" {
			return "", false, false
		}
		size += len(codec.AppendString(nil, name)) + len(codec.AppendString(nil, value))
		if isSecretHeader(name) {
			value, hidden = redacted, true
		}
		s.WriteString(name + ": " + value + "\n")
	}
	// Two empty strings end a block.
	return s.String(), hidden, s.Len() > 0 && (size == len(b) || size+2 == len(b))
}

// maskLines returns text with the values of secret headers hidden, and reports whether
// there were any. A line that begins with a blank continues the previous one.
func maskLines(text string) (masked string, hidden bool) {
	lines := strings.SplitAfter(text, "\n")
	inSecret := false
	for i, line := range lines {
		if inSecret && (strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t")) {
			lines[i] = ""
			continue
		}
		name, _, found := strings.Cut(line, ":")
		inSecret = found && isSecretHeader(name)
		if inSecret {
			hidden = true
			lines[i] = name + ": " + redacted + "\r\n"
		}
	}
	if !hidden {
		return text, false
	}
	return strings.Join(lines, ""), true
}

package syntax

import (
	"errors"
	"fmt"
	"strings"
)

// ErrNotOne reports that a text is not one word of a line.
var ErrNotOne = errors.New("more or less than one word")

// OneWord returns a text as HAProxy reads it, if it is one word of a line.
func OneWord(s string) (string, error) {
	w, err := Words(s+" end", anyEnv)
	if err == nil && (len(w) != 2 || strings.TrimSpace(s) != s || HasControl(s)) {
		err = ErrNotOne
	}
	if err != nil {
		return "", err
	}
	return w[0], nil
}

// CheckOpen returns an error if a text would change the meaning of the rest of its
// line.
func CheckOpen(s string) error {
	w, err := Words(s+" end", anyEnv)
	switch {
	case err != nil:
		return err
	case len(w) == 0 || w[len(w)-1] != "end" || HasControl(s):
		return errors.New("a '#' that begins a comment, a backslash at its end, or a line end: put a backslash before it")
	}
	return nil
}

// anyEnv is an unknown environment: it assumes that each variable is a word.
func anyEnv(string) (string, bool) { return "word", true }

// CheckCondition returns an error if the SPOE file cannot have a condition. It has no
// named ACLs except HAProxy's own, whose names are in capitals.
func CheckCondition(s string) error {
	if err := CheckOpen(s); err != nil {
		return err
	}
	w, err := Words(s, anyEnv)
	depth := 0
	for i, word := range w {
		switch word = strings.TrimLeft(word, "!"); {
		case word == "{":
			depth++
		case word == "}":
			depth--
		case i > 0 && depth == 0 && word != "or" && strings.ToUpper(word) != word:
			return fmt.Errorf("the ACL %s, which the SPOE file does not have: write its condition in braces", word)
		}
	}
	return err
}

func HasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

package crs

import (
	"fmt"
	"regexp"
	"slices"
)

// Hits are the rules that matched a request and its response.
type Hits struct {
	IDs []int
	Log string // their lines, as in the error log of Apache
}

// Judge returns why a test has not passed, or "".
func (t *Test) Judge(a Answer, h Hits) string {
	switch {
	case t.ExpectError && a.Err == nil:
		return fmt.Sprintf("answered with %d, an error is expected", a.Status)
	case t.ExpectError:
		return ""
	case a.Err != nil:
		return "no response: " + a.Err.Error()
	case t.Status != 0 && a.Status != t.Status:
		return fmt.Sprintf("status %d, %d is expected; these rules match: %v", a.Status, t.Status, h.IDs)
	}
	for _, id := range t.Log.ExpectIDs {
		if !slices.Contains(h.IDs, id) {
			return fmt.Sprintf("status %d, rule %d does not match; these do: %v", a.Status, id, h.IDs)
		}
	}
	for _, id := range t.Log.NoExpectIDs {
		if slices.Contains(h.IDs, id) {
			return fmt.Sprintf("status %d, rule %d matches", a.Status, id)
		}
	}
	if re := t.Log.MatchRegex; re != "" && !regexp.MustCompile(re).MatchString(h.Log) {
		return fmt.Sprintf("status %d, the log does not match %s; rules %v", a.Status, re, h.IDs)
	}
	if re := t.Log.NoMatchRegex; re != "" && regexp.MustCompile(re).MatchString(h.Log) {
		return fmt.Sprintf("status %d, the log matches %s", a.Status, re)
	}
	return ""
}

package auth

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// User is the sender of a request. Its texts fit into headers: see [Text].
type User struct {
	Subject string   `json:"s"` // the user's identifier at the provider, or the entry's DN
	Name    string   `json:"u"`
	Mail    string   `json:"m,omitempty"`
	Groups  []string `json:"g,omitempty"` // names without a comma, which would split a name in a list
	// Claims has the values of the claims that the provider's configuration names.
	Claims map[string][]string `json:"c,omitempty"`
}

// Text returns s if it can be in a header, otherwise "". A text with a control character or
// more than 1 KB, or one that is not UTF-8, cannot be in a header.
func Text(s string) string {
	if !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) || len(s) > 1024 {
		return ""
	}
	return s
}

// Groups returns the names that a User can have as groups.
func Groups(names []string) (groups []string) {
	for _, name := range names {
		if name = Text(name); name != "" && !strings.Contains(name, ",") {
			groups = append(groups, name)
		}
	}
	return groups
}

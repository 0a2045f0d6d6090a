package crs

import (
	"net/url"
	"strings"
)

// escapeForm escapes the names and values of a form, if nothing in it is escaped.
func escapeForm(data string) string {
	if plain, err := url.QueryUnescape(data); err != nil || plain != data {
		return data
	}
	pairs := strings.Split(data, "&")
	for i, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		pairs[i] = url.QueryEscape(name)
		if ok {
			pairs[i] += "=" + url.QueryEscape(value)
		}
	}
	return strings.Join(pairs, "&")
}

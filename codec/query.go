package codec

import (
	"net/url"
	"strings"
)

// readQuery reads a query string as far as it can be read: a name or value with an
// escape that is none stays as it came. err says what url.ParseQuery would refuse.
func readQuery(query string) (q url.Values, err error) {
	q = make(url.Values)
	unescape := func(s string) string {
		u, bad := url.QueryUnescape(s)
		if bad != nil {
			err = detail("a '%' that begins no escape")
			return s
		}
		return u
	}
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		if strings.Contains(pair, ";") && err == nil {
			err = detail("a ';', which not every program takes for a separator")
		}
		name, value, _ := strings.Cut(pair, "=")
		name = unescape(name)
		q[name] = append(q[name], unescape(value))
	}
	return q, err
}

func setValues(p pointer, v Value) error {
	if !v.isText() {
		return errType
	}
	q, err := readQuery(v.Str())
	*as[url.Values](p) = q
	return inPart(err)
}

// inPart returns err as one that leaves the field with the part that was read.
func inPart(err error) error {
	if err == nil {
		return nil
	}
	return partError{err}
}

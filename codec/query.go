package codec

import (
	"net/url"
	"strings"
)

// readQuery reads a query string as far as it can be read: a name or value with a wrong
// escape stays unchanged. err is the mistake for which url.ParseQuery would refuse it.
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

// inPart wraps err so that the field keeps the part that was read.
func inPart(err error) error {
	if err == nil {
		return nil
	}
	return partError{err}
}

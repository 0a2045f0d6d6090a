package codec

import "strings"

// Cookie returns the value of the first cookie of that name in a Cookie header, and
// whether there is one. It allocates nothing and reads no more of the header than it
// needs. Names match exactly. It takes double quotes around a value away, and does not
// decode or check the value.
func Cookie(header, name string) (value string, ok bool) {
	for len(header) > 0 {
		var pair string
		pair, header, _ = strings.Cut(header, ";")
		n, v, found := strings.Cut(strings.Trim(pair, " \t"), "=")
		if !found || n != name {
			continue
		}
		if len(v) >= 2 && v[0] == '"' && v[len(v)-1] == '"' {
			v = v[1 : len(v)-1]
		}
		return v, true
	}
	return "", false
}

package codec

import "strings"

// Cookie returns the value of the first cookie of that name in a Cookie header, and whether
// there is one. It allocates nothing and reads no more of the header than it needs. Names
// match exactly. It removes double quotes around a value, and does not decode or check the
// value.
func Cookie(header, name string) (value string, ok bool) {
	for header != "" {
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

// JoinCookie returns the value of a cookie that [SetCookie.Split] split with that limit,
// and whether all of its parts are there. A visitor can send any cookies of these names:
// sign or encrypt the value.
func JoinCookie(header, name string, limit int) (value string, ok bool) {
	value, ok = Cookie(header, name)
	if !ok || value == "" || value[0] < '1' || value[0] > '9' {
		return "", false
	}
	n := int(value[0] - '0')
	if n > limit {
		return "", false
	}
	value = value[1:]
	for i := 1; i < n; i++ {
		part, ok := Cookie(header, partName(name, i))
		if !ok {
			return "", false
		}
		value += part
	}
	return value, true
}

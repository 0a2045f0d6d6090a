package samples

import "slices"

// Fits reports whether a value of some types can be bound to one of other types; an
// empty list means all types.
func Fits(sent, bound []string) bool {
	return len(sent) == 0 || len(bound) == 0 ||
		slices.ContainsFunc(sent, func(t string) bool { return slices.Contains(bound, t) })
}

// Convert names a converter to one of these types, for a text. Each was tried.
func Convert(types []string) string {
	for _, c := range []struct{ to, converter string }{
		{"BOOL", "bool"}, {"INT64", "add(0)"}, {"IPV4", "ipmask(32,128)"}, {"STRING", "lower"},
	} {
		if slices.Contains(types, c.to) {
			return ", put the converter \"," + c.converter + "\" behind it"
		}
	}
	return ""
}

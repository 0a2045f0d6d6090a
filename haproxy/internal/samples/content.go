package samples

import "strings"

// OfContent reports whether a sample reads bytes from a client or a server: it is empty
// until HAProxy receives some.
func OfContent(fetch string) bool {
	switch name := Name(Unquoted(fetch)); name {
	case "req.len", "req.payload", "req.payload_lv", "req_len", "payload", "payload_lv", "res.len", "res.payload", "res.payload_lv", "rep_ssl_hello_type":
		return true
	default:
		return strings.HasPrefix(name, "req.ssl_") || strings.HasPrefix(name, "req_ssl_") || strings.HasPrefix(name, "res.ssl_") || strings.HasPrefix(name, "req.rdp_")
	}
}

// ArgumentOf returns the first argument of a sample, such as host of
// req.hdr(host,1), or "".
func ArgumentOf(fetch string) string {
	sample := splitExpr(Unquoted(fetch))[0]
	_, args, ok := strings.Cut(sample, "(")
	if !ok {
		return ""
	}
	first, _, _ := strings.Cut(strings.TrimSuffix(args, ")"), ",")
	return strings.TrimSpace(first)
}

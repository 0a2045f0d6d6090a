//go:build unix && !race

package visitors_test

import "strings"

// request is a request that a visitor sends.
type request struct {
	name string
	// raw is the request over HTTP/1 up to the empty line, which is added together
	// with the header that names the case. h2 is one over HTTP/2.
	raw  string
	h2   []field
	body string
	// halfClose: the visitor shuts its sending side down behind the request.
	halfClose bool
	// hostile requests are refused: by agents that look at paths, and by agents that look
	// at addresses.
	hostile bool
	// plain requests reach the site.
	plain bool
	// doubtful requests have no host of the site's, or a path that programs read in
	// different ways. Agents with rules for hosts and paths refuse them.
	doubtful bool
}

// field is a header of HTTP/2.
type field struct{ name, value string }

func get(target string, headers ...string) string {
	return line("GET "+target+" HTTP/1.1", headers...)
}

func line(first string, headers ...string) string {
	return first + "\r\nHost: site.example\r\nUser-Agent: Mozilla/5.0\r\nCookie: session=a-long-random-text\r\nX-API-Key: a-long-random-text\r\n" +
		strings.Join(append(headers, ""), "\r\n")
}

func get2(path string, more ...field) []field {
	return append([]field{
		{":method", "GET"}, {":scheme", "http"}, {":authority", "site.example"}, {":path", path},
		{"user-agent", "Mozilla/5.0"}, {"cookie", "session=a-long-random-text"}, {"x-api-key", "a-long-random-text"},
	}, more...)
}

// listed is for the agents that look at addresses: they know this one.
const listed = "X-Forwarded-For: 192.0.2.1"

// requests are the requests to each example. Half-closed ones are races, and are sent
// several times.
var requests = []request{
	{name: "GET", raw: get("/"), plain: true},
	{name: "HEAD", raw: line("HEAD / HTTP/1.1"), plain: true},
	{name: "PUT", raw: line("PUT /a HTTP/1.1", "Content-Length: 3"), body: "a=1", plain: true},
	{name: "DELETE", raw: line("DELETE /a HTTP/1.1"), plain: true},
	{name: "PATCH", raw: line("PATCH /a HTTP/1.1", "Content-Length: 3"), body: "a=1", plain: true},
	{name: "TRACE", raw: line("TRACE / HTTP/1.1")},
	{name: "OPTIONS of a path", raw: line("OPTIONS /a HTTP/1.1"), plain: true},
	{name: "OPTIONS *", raw: line("OPTIONS * HTTP/1.1")},
	{name: "CONNECT", doubtful: true, raw: "CONNECT site.example:443 HTTP/1.1\r\nHost: site.example:443\r\nCookie: session=a-long-random-text\r\n"},
	{name: "GET *", doubtful: true, raw: get("*")},
	{name: "a method of one's own", raw: line("BREW /pot HTTP/1.1")},
	{name: "WebDAV", raw: line("PROPFIND / HTTP/1.1", "Depth: 1")},
	{name: "absolute form", raw: get("http://site.example/a"), plain: true},
	{name: "absolute form, without a path", raw: get("http://site.example")},
	{name: "absolute form, with a query alone", raw: get("http://site.example?a=1")},
	{name: "HTTP/1.0 without Host", doubtful: true, raw: "GET / HTTP/1.0\r\nCookie: session=a-long-random-text\r\n", plain: true},
	{name: "no Host", doubtful: true, raw: "GET / HTTP/1.1\r\nCookie: session=a-long-random-text\r\n"},
	{name: "empty Host", doubtful: true, raw: "GET / HTTP/1.1\r\nHost:\r\nCookie: session=a-long-random-text\r\n"},
	{name: "two Hosts", doubtful: true, raw: get("/", "Host: other.example")},
	{name: "a path of two slashes", raw: get("//a//b")},
	{name: "dots in a path", doubtful: true, raw: get("/a/../../b/./c")},
	{name: "bad escapes in a path", doubtful: true, raw: get("/%zz%2%")},
	{name: "bytes that are no UTF-8", raw: get("/%ff%fe?a=%c3%28"), plain: true},
	{name: "a NUL, escaped", doubtful: true, raw: get("/%00?a=%00"), plain: true},
	{name: "bad escapes in a query", raw: get("/?%zz=%2&a=%&&==;")},
	{name: "a query of 4000 bytes", raw: get("/?" + strings.Repeat("a=1&", 1000)), plain: true},
	{name: "a fragment", raw: get("/#a")},
	{name: "a NUL in a header", raw: get("/", "X-A: a\x00b")},
	{name: "control bytes in a header", raw: get("/", "X-A: a\x01\x02\x1b[2J\x7fb")},
	{name: "a CR in a header", raw: get("/", "X-A: a\rb")},
	{name: "a tab in a header", raw: get("/", "X-A: a\tb"), plain: true},
	{name: "8-bit bytes in a header", raw: get("/", "X-A: \xff\xfe\xc3\x28"), plain: true},
	{name: "8-bit bytes in User-Agent", raw: get("/", "User-Agent: \xff\x80")},
	{name: "space before a colon", raw: get("/", "X-A : b")},
	{name: "space in a name", raw: get("/", "X A: b")},
	{name: "a header without a name", raw: get("/", ": b")},
	{name: "a header that is folded", raw: get("/", "X-A: a\r\n b")},
	{name: "an empty header", raw: get("/", "X-A:"), plain: true},
	{name: "200 headers", raw: get("/", strings.Split(strings.Repeat("X-A: b\n", 200), "\n")[:200]...)},
	{name: "8 KB of header", raw: get("/", "X-A: "+strings.Repeat("a", 8<<10))},
	{name: "15 KB of header", raw: get("/", "X-A: "+strings.Repeat("a", 15<<10))},
	{name: "64 KB of header", raw: get("/", "X-A: "+strings.Repeat("a", 64<<10))},
	{name: "15 KB of User-Agent", raw: get("/", "User-Agent: "+strings.Repeat("a", 15<<10))},
	{name: "9 KB of traceparent", raw: get("/", "traceparent: 00-"+strings.Repeat("a", 9<<10))},
	{name: "9 KB of path and 5 KB of query", raw: get("/" + strings.Repeat("a", 9<<10) + "?" + strings.Repeat("b", 5<<10))},
	{name: "15 KB of path", raw: get("/" + strings.Repeat("a", 15<<10))},
	{name: "cookies that are none", raw: get("/", "Cookie: session; =; session=\x01;;\"", "Cookie: \xff=a")},
	{name: "numbers that are none", raw: line("POST / HTTP/1.1", "Content-Length: 0", "X-Forwarded-For: 999.1.1.1, ::g"), plain: true},
	{name: "Content-Length that is none", raw: line("POST / HTTP/1.1", "Content-Length: 1x"), body: "a"},
	{name: "chunked", raw: line("POST / HTTP/1.1", "Transfer-Encoding: chunked"), body: "3\r\na=1\r\n0\r\n\r\n"},
	{name: "chunked, badly", raw: line("POST / HTTP/1.1", "Transfer-Encoding: chunked"), body: "zz\r\na=1\r\n0\r\n\r\n"},
	{name: "chunked, with a length", raw: line("POST / HTTP/1.1", "Transfer-Encoding: chunked", "Content-Length: 3"), body: "3\r\na=1\r\n0\r\n\r\n"},
	{name: "Expect", raw: line("POST / HTTP/1.1", "Expect: 100-continue", "Content-Length: 3"), body: "a=1"},
	{name: "an upgrade", raw: get("/", "Connection: upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="), plain: true},
	{name: "headers that the rules set", raw: get("/", "X-User: root", "X-IP-Score: 100", "X-Network: inside"), plain: true},
	{name: "the line ends in LF alone", raw: strings.ReplaceAll(get("/"), "\r\n", "\n")},

	{name: "a probe", raw: get("/.env", listed), hostile: true},
	{name: "a probe, absolute form", raw: get("http://site.example/.env", listed), hostile: true},
	{name: "a probe with a query", raw: get("/.env?a", listed), hostile: true},
	{name: "a probe with POST", raw: line("POST /.env HTTP/1.1", listed, "Content-Length: 0"), hostile: true},
	{name: "a probe with a NUL in a header", raw: get("/.env", listed, "X-A: a\x00b"), hostile: true},

	{name: "half-closed GET", raw: get("/"), halfClose: true},
	{name: "half-closed POST", raw: line("POST / HTTP/1.1", "Content-Length: 3"), body: "a=1", halfClose: true},
	{name: "half-closed probe", raw: get("/.env", listed), halfClose: true, hostile: true},

	{name: "HTTP/2 GET", h2: get2("/"), plain: true},
	{name: "HTTP/2 HEAD", h2: []field{{":method", "HEAD"}, {":scheme", "http"}, {":authority", "site.example"}, {":path", "/"}}},
	{name: "HTTP/2 OPTIONS *", h2: []field{{":method", "OPTIONS"}, {":scheme", "http"}, {":authority", "site.example"}, {":path", "*"}, {"cookie", "session=a-long-random-text"}}},
	{name: "HTTP/2 CONNECT", doubtful: true, h2: []field{{":method", "CONNECT"}, {":authority", "site.example:443"}, {"cookie", "session=a-long-random-text"}}},
	{name: "HTTP/2 without authority", doubtful: true, h2: []field{{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {"cookie", "session=a-long-random-text"}}},
	{name: "HTTP/2 without a path", doubtful: true, h2: []field{{":method", "GET"}, {":scheme", "http"}, {":authority", "site.example"}}},
	{name: "HTTP/2 8 KB of authority", doubtful: true, h2: []field{{":method", "GET"}, {":scheme", "http"}, {":authority", strings.Repeat("a.", 4<<10) + "example"}, {":path", "/"}, {"cookie", "session=a-long-random-text"}}},
	{name: "HTTP/2 bad escapes", doubtful: true, h2: get2("/%zz?%2")},
	{name: "HTTP/2 a NUL in a header", h2: get2("/", field{"x-a", "a\x00b"})},
	{name: "HTTP/2 a line end in a header", h2: get2("/", field{"x-a", "a\r\nx-test-verdict: 1"})},
	{name: "HTTP/2 8-bit bytes", h2: get2("/", field{"x-a", "\xff\xfe"})},
	{name: "HTTP/2 probe", h2: get2("/.env", field{"x-forwarded-for", "192.0.2.1"}), hostile: true},
	{name: "HTTP/2 half-closed GET", h2: get2("/"), halfClose: true},
	{name: "HTTP/2 half-closed probe", h2: get2("/.env", field{"x-forwarded-for", "192.0.2.1"}), halfClose: true, hostile: true},
}

package capture_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/internal/golden"
)

func request() scenario {
	body := "zero \x00 and \xff\r\nlast"
	headers := http.Header{
		"Host":           {"example.com"},
		"User-Agent":     {"golden/1.0 (a test)"},
		"Accept":         {"*/*"},
		"X-Twice":        {"one", "two"},
		"X-Empty":        {""},
		"Cookie":         {"a=1; b=2"},
		"Content-Type":   {"application/octet-stream"},
		"Content-Length": {strconv.Itoa(len(body))},
	}
	const hdrs = "host: example.com\r\nuser-agent: golden/1.0 (a test)\r\naccept: */*\r\nx-twice: one\r\ncookie: a=1; b=2\r\n" +
		"x-twice: two\r\nx-empty: \r\ncontent-type: application/octet-stream\r\ncontent-length: %d\r\n\r\n"
	var bin []byte
	text := fmt.Sprintf(hdrs, len(body))
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\r\n\r\n"), "\r\n") {
		name, value, _ := strings.Cut(line, ": ")
		bin = append(append(bin, byte(len(name))), name...)
		bin = append(append(bin, byte(len(value))), value...)
	}
	bin = append(bin, 0, 0)
	return scenario{
		name:  "request",
		about: "A request with a body: its line, its headers in both forms, its body.",
		messages: []message{{name: "request", args: []arg{
			{"method", "method", codec.String("POST")},
			{"path", "path", codec.String("/a/b")},
			{"query", "query", codec.String("q=1&r=%20")},
			{"url", "url", codec.String("/a/b?q=1&r=%20")},
			{"version", "req.ver", codec.String("1.1")},
			{"src", "src", addr("127.0.0.1")},
			{"src_port", "src_port", codec.Null()}, // filled in
			{"dst", "dst", addr("127.0.0.1")},
			{"hdrs", "req.hdrs", codec.String(text)},
			{"hdrs_bin", "req.hdrs_bin", codec.Binary(bin)},
			{"body", "req.body", codec.Binary([]byte(body))},
			{"body_size", "req.body_size", codec.Int64(int64(len(body)))},
		}}},
		run: func(c *capture) ([][]byte, []golden.Frame) {
			resp, port := c.request("POST /a/b?q=1&r=%20 HTTP/1.1\r\n", "Host: example.com\r\n", "User-Agent: golden/1.0 (a test)\r\n",
				"Accept: */*\r\n", "X-Twice: one\r\n", "Cookie: a=1; b=2\r\n", "X-Twice: two\r\n", "X-Empty:\r\n",
				"Content-Type: application/octet-stream\r\n", fmt.Sprintf("Content-Length: %d\r\n", len(body)), "\r\n", body)
			assert.Equal(c, 200, resp.StatusCode)
			c.accepted(1)
			w := c.messages[0].want()
			for i := range w.Args {
				switch p := &w.Args[i]; p.Name {
				case "src_port":
					p.Value = codec.Int64(int64(port))
				case "hdrs", "hdrs_bin":
					p.Headers = headers
				}
			}
			return c.firstConnection(4), append(c.hellos(), notify(w), ack())
		},
	}
}

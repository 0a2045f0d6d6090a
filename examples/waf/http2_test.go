package main

import (
	"bytes"
	"io"
	"net"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/spoke-go/spoke/service/servicetest"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

// field is a header, or a pseudo-header, of HTTP/2.
type field struct{ name, value string }

// shapes are HTTP/2 requests with evil in them that no library would send.
func shapes() map[string][]field {
	query := "id=" + url.QueryEscape(evil)
	get := func(path string, more ...field) []field {
		return append([]field{{":method", "GET"}, {":scheme", "http"}, {":authority", "site"}, {":path", path},
			{"user-agent", "test"}, {"accept", "*/*"}}, more...)
	}
	return map[string][]field{
		"plain":                        get("/?" + query),
		"a path without a slash":       get("a?" + query),
		"a path that is a query":       get("?" + query),
		"a path that is a URL":         get("http://site/?" + query),
		"a path with a URL before":     get("http://site?" + query + "&a=/"),
		"an empty path":                get("", field{"cookie", "a=" + evil}),
		"a space in the path":          get("/a HTTP/1.1?" + query),
		"a new line in the path":       get("/ HTTP/1.1\r\nX: y\r\n\r\nGET /?" + query),
		"a NUL in the path":            get("/\x00?" + query),
		"a fragment in the path":       get("/a#?" + query),
		"an asterisk":                  get("*", field{"cookie", "a=" + evil}),
		"two paths":                    get("/", field{":path", "/?" + query}),
		"a path behind the headers":    {{":method", "GET"}, {":scheme", "http"}, {":authority", "site"}, {"accept", "*/*"}, {":path", "/?" + query}},
		"no authority":                 {{":method", "GET"}, {":scheme", "http"}, {":path", "/?" + query}, {"host", "site"}},
		"no authority and no host":     {{":method", "GET"}, {":scheme", "http"}, {":path", "/?" + query}},
		"a host that is another":       get("/?"+query, field{"host", "other"}),
		"an authority with a path":     {{":method", "GET"}, {":scheme", "http"}, {":authority", "site/?" + query + "&a="}, {":path", "/"}},
		"an authority with a query":    {{":method", "GET"}, {":scheme", "http"}, {":authority", "site?" + query}, {":path", "/a"}},
		"an authority with a user":     {{":method", "GET"}, {":scheme", "http"}, {":authority", "a@site"}, {":path", "/?" + query}},
		"a scheme with a path":         {{":method", "GET"}, {":scheme", "http://site/?" + query + "&a="}, {":authority", "site"}, {":path", "/"}},
		"an unknown scheme":            {{":method", "GET"}, {":scheme", "file"}, {":authority", "site"}, {":path", "/?" + query}},
		"an unknown pseudo-header":     get("/?"+query, field{":protocol", "websocket"}),
		"a method with a request line": {{":method", "GET /?" + query + " HTTP/1.1"}, {":scheme", "http"}, {":authority", "site"}, {":path", "/"}},
		"CONNECT with a path":          {{":method", "CONNECT"}, {":scheme", "http"}, {":authority", "site"}, {":path", "/?" + query}},
		"a new line in a header":       get("/", field{"x", "y\r\nCookie: a=" + evil}),
		"a header in capitals":         get("/", field{"COOKIE", "a=" + evil}),
		"a header with a colon":        get("/", field{"x: y\r\ncookie", "a=" + evil}),
		"cookies apart":                get("/", field{"cookie", "a=1"}, field{"cookie", "b=" + evil}),
		"a connection header":          get("/?"+query, field{"connection", "cookie"}),
		"chunks":                       get("/?"+query, field{"transfer-encoding", "chunked"}),
		"a length without a body":      get("/?"+query, field{"content-length", "100"}),
		"two lengths":                  get("/?"+query, field{"content-length", "0"}, field{"content-length", "3"}),
		"a referrer":                   get("/", field{"referer", evil}),
	}
}

// sendHTTP2 sends a request over a connection of its own, and waits until HAProxy answers or
// refuses it.
func sendHTTP2(t *testing.T, addr string, fields []field, body string, trailers ...field) error {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(servicetest.Patience)))
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	encode := func(fields []field) []byte {
		block.Reset()
		for _, f := range fields {
			require.NoError(t, encoder.WriteField(hpack.HeaderField{Name: f.name, Value: f.value}))
		}
		return block.Bytes()
	}
	_, err = io.WriteString(conn, http2.ClientPreface)
	require.NoError(t, err)
	framer := http2.NewFramer(conn, conn)
	framer.AllowIllegalWrites = true
	_ = framer.WriteSettings() // errors of writing show when reading
	_ = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: encode(fields), EndHeaders: true, EndStream: body == ""})
	if body != "" {
		_ = framer.WriteData(1, trailers == nil, []byte(body))
	}
	if trailers != nil {
		_ = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: encode(trailers), EndHeaders: true, EndStream: true})
	}
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return err
		}
		switch frame.(type) {
		case *http2.HeadersFrame, *http2.RSTStreamFrame, *http2.GoAwayFrame:
			return nil
		}
	}
}

// TestHTTP2: an injection does not reach the site in any shape of an HTTP/2 request, and
// each request is answered or refused.
func TestHTTP2(t *testing.T) {
	form := func(more ...field) []field {
		return append([]field{{":method", "POST"}, {":scheme", "http"}, {":authority", "site"}, {":path", "/"}, {"user-agent", "test"}, {"accept", "*/*"},
			{"content-type", "application/x-www-form-urlencoded"}}, more...)
	}
	body := "id=" + url.QueryEscape(evil)
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		v := startVictim(t)
		a := startAgent(t, "", "-timeout", "10s")
		h := haproxytest.Start(t, bin, shipped(t, a.Addr(t), v.addr, `    bind "${WAF_FRONTEND}"`, "    bind \"${WAF_FRONTEND}\"\n    bind {{addr \"h2\"}} proto h2"))
		waitUp(t, h, 1)
		send := func(name string, fields []field, body string) {
			if err := sendHTTP2(t, h.Addr("h2"), fields, body); err != nil {
				assert.NotErrorIs(t, err, os.ErrDeadlineExceeded, name)
			}
		}
		for name, fields := range shapes() {
			send(name, fields, "")
		}
		send("a body", form(), body)
		send("a body longer than its length", form(field{"content-length", "3"}), "a=b"+body)
		send("a body shorter than its length", form(field{"content-length", "1000"}), body)
		send("a length and chunks", form(field{"content-length", "0"}, field{"transfer-encoding", "chunked"}), body)
		send("a compressed body", form(field{"content-encoding", "gzip"}), gzipped(body))
		assert.Empty(t, v.reached())
		h.WaitLog("status=403") // the plain one
		assert.Equal(t, 200, h.Get("/", "User-Agent", "test", "Accept", "*/*").Status)
	})
}

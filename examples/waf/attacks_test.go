package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/examples/waf/internal/crs"
	"github.com/spoke-go/spoke/service/servicetest"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

// evil is an injection that the Core Rule Set refuses wherever it stands.
const evil = "1' or '1'='1"

// victim is a site that remembers the requests with evil in them.
type victim struct {
	addr string

	mu  sync.Mutex // guards got
	got []string
}

func startVictim(t *testing.T) *victim {
	t.Helper()
	v := new(victim)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var all bytes.Buffer
		query, _ := url.QueryUnescape(r.URL.RawQuery)
		fmt.Fprint(&all, query, r.Header, r.Trailer, string(body))
		if plain, err := url.QueryUnescape(string(body)); err == nil {
			all.WriteString(plain)
		}
		if unpacked, err := gzip.NewReader(bytes.NewReader(body)); err == nil {
			text, _ := io.ReadAll(unpacked)
			plain, _ := url.QueryUnescape(string(text))
			all.WriteString(plain)
		}
		if strings.Contains(all.String(), evil) {
			v.mu.Lock()
			v.got = append(v.got, r.Method+" "+r.URL.String())
			v.mu.Unlock()
		}
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, "fine")
	}))
	t.Cleanup(s.Close)
	v.addr = strings.TrimPrefix(s.URL, "http://")
	return v
}

func (v *victim) reached() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.got
}

const head = "Host: site\r\nUser-Agent: test\r\nAccept: */*\r\nConnection: close\r\n"

func post(headers, body string) string {
	return "POST /%s HTTP/1.1\r\n" + head + headers + "\r\n" + body
}

func length(body string) string { return fmt.Sprintf("Content-Length: %d\r\n", len(body)) }

func chunks(body string, size int) string {
	var b strings.Builder
	for len(body) > 0 {
		n := min(size, len(body))
		fmt.Fprintf(&b, "%x\r\n%s\r\n", n, body[:n])
		body = body[n:]
	}
	return b.String() + "0\r\n\r\n"
}

func multipart(parts int, last string) string {
	var b strings.Builder
	for i := range parts {
		fmt.Fprintf(&b, "--b\r\nContent-Disposition: form-data; name=\"f%d\"\r\n\r\nx\r\n", i)
	}
	return b.String() + "--b\r\nContent-Disposition: form-data; name=\"last\"\r\n\r\n" + last + "\r\n--b--\r\n"
}

func gzipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text)
	w.Close()
	return b.String()
}

// bomb is an XML document whose entities would expand to a billion words.
func bomb(last string) string {
	var b strings.Builder
	b.WriteString("<?xml version=\"1.0\"?><!DOCTYPE z [<!ENTITY a0 \"lol\">")
	for i := range 9 {
		fmt.Fprintf(&b, "<!ENTITY a%d \"%s\">", i+1, strings.Repeat(fmt.Sprintf("&a%d;", i), 10))
	}
	return b.String() + "]><z><y>&a9;</y><x>" + last + "</x></z>"
}

// attacks are requests with evil in them, in forms in which something may lose sight of
// it. %s in the target is the attack's number.
func attacks() map[string]string {
	const form = "Content-Type: application/x-www-form-urlencoded\r\n"
	body := "id=" + url.QueryEscape(evil)
	smuggled := "0\r\n\r\nGET /smuggled?id=" + url.QueryEscape(evil) + " HTTP/1.1\r\nHost: site\r\n\r\n"
	query := strings.ReplaceAll(url.QueryEscape(evil), "%", "%%") // in the target
	second := "GET /%[1]s?id=" + query + " HTTP/1.1\r\n" + head + "\r\n"
	deep := func(depth int) string {
		return strings.Repeat("[", depth) + `"` + evil + `"` + strings.Repeat("]", depth)
	}
	json := deep(5000)
	return map[string]string{
		"plain":                           post(form+length(body), body),
		"chunked":                         post(form+"Transfer-Encoding: chunked\r\n", chunks(body, 1000)),
		"chunked, a byte a chunk":         post(form+"Transfer-Encoding: chunked\r\n", chunks(body, 1)),
		"chunked with an extension":       post(form+"Transfer-Encoding: chunked\r\n", fmt.Sprintf("%x;a=b\r\n%s\r\n0\r\n\r\n", len(body), body)),
		"length and chunked":              post(form+"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", smuggled),
		"chunked and length":              post(form+"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", smuggled),
		"two lengths":                     post(form+"Content-Length: 5\r\nContent-Length: 200\r\n", smuggled),
		"two encodings":                   post(form+"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n", smuggled),
		"a space before the colon":        post(form+"Transfer-Encoding : chunked\r\n", smuggled),
		"a folded header":                 post(form+"Transfer-Encoding:\r\n chunked\r\n", smuggled),
		"a vertical tab in the encoding":  post(form+"Transfer-Encoding: \x0bchunked\r\n", smuggled),
		"a length with a sign":            post(form+"Content-Length: +5\r\n", smuggled),
		"a GET with a body":               "GET /%s HTTP/1.1\r\n" + head + form + length(body) + "\r\n" + body,
		"a NUL in the query":              "GET /%s?a=%%00&id=" + query + " HTTP/1.1\r\n" + head + "\r\n",
		"a NUL in a header":               "GET /%s HTTP/1.1\r\n" + head + "X-A: \x00\r\nCookie: a=" + evil + "\r\n\r\n",
		"control bytes in the body":       post(form+length("\x00\x01\x7f&"+body), "\x00\x01\x7f&"+body),
		"a header of 60 KB before":        "GET /%s?id=" + query + " HTTP/1.1\r\n" + head + "X-A: " + strings.Repeat("a", 60<<10) + "\r\n\r\n",
		"a header of 64 KB":               "GET /%s?id=" + query + " HTTP/1.1\r\n" + head + "X-A: " + strings.Repeat("a", 64<<10) + "\r\n\r\n",
		"900 headers":                     "GET /%s HTTP/1.1\r\n" + head + strings.Repeat("A: b\r\n", 900) + "Cookie: a=" + evil + "\r\n\r\n",
		"behind 50 KB":                    post(form+length("a="+strings.Repeat("a", 50<<10)+"&"+body), "a="+strings.Repeat("a", 50<<10)+"&"+body),
		"behind 100 KB":                   post(form+length("a="+strings.Repeat("a", 100<<10)+"&"+body), "a="+strings.Repeat("a", 100<<10)+"&"+body),
		"behind 100 KB, chunked":          post(form+"Transfer-Encoding: chunked\r\n", chunks("a="+strings.Repeat("a", 100<<10)+"&"+body, 8000)),
		"behind 2000 arguments":           post(form+length(strings.Repeat("a=b&", 2000)+body), strings.Repeat("a=b&", 2000)+body),
		"multipart":                       post("Content-Type: multipart/form-data; boundary=b\r\n"+length(multipart(1, evil)), multipart(1, evil)),
		"the last of 900 parts":           post("Content-Type: multipart/form-data; boundary=b\r\n"+length(multipart(900, evil)), multipart(900, evil)),
		"multipart without its end":       post("Content-Type: multipart/form-data; boundary=b\r\n"+length(strings.TrimSuffix(multipart(1, evil), "--b--\r\n")), strings.TrimSuffix(multipart(1, evil), "--b--\r\n")),
		"multipart with another boundary": post("Content-Type: multipart/form-data; boundary=c\r\n"+length(multipart(1, evil)), multipart(1, evil)),
		"JSON":                            post("Content-Type: application/json\r\n"+length(`{"id":"`+evil+`"}`), `{"id":"`+evil+`"}`),
		"JSON 5000 deep":                  post("Content-Type: application/json\r\n"+length(json), json),
		"broken JSON":                     post("Content-Type: application/json\r\n"+length(`{"id":"`+evil+`"`), `{"id":"`+evil+`"`),
		"JSON 30,000 deep":                post("Content-Type: application/json\r\n"+length(deep(30000)), deep(30000)),
		"JSON 100,000 deep":               post("Content-Type: application/json\r\n"+length(deep(100000)), deep(100000)),
		"10,000 parts":                    post("Content-Type: multipart/form-data; boundary=b\r\n"+length(multipart(10000, evil)), multipart(10000, evil)),
		"XML":                             post("Content-Type: application/xml\r\n"+length("<a>"+evil+"</a>"), "<a>"+evil+"</a>"),
		"XML, an unknown entity before":   post("Content-Type: application/xml\r\n"+length("<a>&x;</a><b>"+evil+"</b>"), "<a>&x;</a><b>"+evil+"</b>"),
		"XML, a bomb":                     post("Content-Type: application/xml\r\n"+length(bomb(evil)), bomb(evil)),
		"XML in UTF-7":                    post("Content-Type: application/xml\r\n"+length(`<?xml version="1.0" encoding="UTF-7"?><a>`+evil+`</a>`), `<?xml version="1.0" encoding="UTF-7"?><a>`+evil+`</a>`),
		"gzip":                            post(form+"Content-Encoding: gzip\r\n"+length(gzipped(body)), gzipped(body)),
		"gzip, chunked":                   post(form+"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", chunks(gzipped(body), 7)),
		"gzip, an unknown content type":   post("Content-Type: application/x-unknown\r\nContent-Encoding: x-gzip\r\n"+length(gzipped(body)), gzipped(body)),
		"gzip without its header":         post("Content-Type: application/x-unknown\r\n"+length(gzipped(body)), gzipped(body)),
		"gzip and chunked":                post(form+"Transfer-Encoding: gzip, chunked\r\n", chunks(gzipped(body), 1000)),
		"a length that is too short":      "POST /%[1]s HTTP/1.1\r\nHost: site\r\nUser-Agent: test\r\nAccept: */*\r\n" + form + "Content-Length: 3\r\n\r\na=b" + second,
		"no length":                       "POST /%[1]s HTTP/1.1\r\nHost: site\r\nUser-Agent: test\r\nAccept: */*\r\n" + form + "\r\n" + second,
		"a length in hexadecimal":         post(form+fmt.Sprintf("Content-Length: 0x%x\r\n", len(body)), body),
		"a length above 64 bits":          post(form+"Content-Length: 18446744073709551620\r\n", body),
		"a length as a list":              post(form+fmt.Sprintf("Content-Length: %d, %d\r\n", len(body), len(body)), body),
		"a chunk above 64 bits":           post(form+"Transfer-Encoding: chunked\r\n", "10000000000000003\r\na=b\r\n"+chunks(body, 1000)),
		"absolute form":                   "GET http://site?id=" + query + "&a=/%s HTTP/1.1\r\n" + head + "\r\n",
		"absolute form with a user":       "GET http://a@site/%s?id=" + query + " HTTP/1.1\r\n" + head + "\r\n",
		"absolute form, another host":     "GET http://other/%s?id=" + query + " HTTP/1.1\r\n" + head + "\r\n",
		"a raw NUL in the query":          "GET /%s?\x00id=" + query + " HTTP/1.1\r\n" + head + "\r\n",
		"a NUL in a header's name":        "GET /%s HTTP/1.1\r\n" + head + "X\x00A: b\r\nCookie: a=" + evil + "\r\n\r\n",
		"a NUL in the body":               post(form+length("a=\x00&"+body), "a=\x00&"+body),
		"a fragment":                      "GET /%s?a#?id=" + query + " HTTP/1.1\r\n" + head + "\r\n",
		"HTTP/1.0 with chunks":            "POST /%s HTTP/1.0\r\n" + head + form + "Transfer-Encoding: chunked\r\n\r\n" + chunks(body, 1000),
		"an unknown method":               "QUERY /%s HTTP/1.1\r\n" + head + form + length(body) + "\r\n" + body,
		"an unknown content type":         post("Content-Type: application/x-unknown\r\n"+length(body), body),
	}
}

// TestAttacks: an injection does not reach the site in any form, each request is answered
// or its connection closed, and the agent goes on.
func TestAttacks(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		v := startVictim(t)
		a := startAgent(t, "", "-timeout", "10s")
		h := haproxytest.Start(t, bin, shipped(t, a.Addr(t), v.addr, `    bind "${WAF_FRONTEND}"`, "    bind \"${WAF_FRONTEND}\"\n    bind {{addr \"h2\"}} proto h2"))
		waitUp(t, h, 1)
		for name, request := range attacks() {
			answer := crs.Send(h.Addr("http"), fmt.Appendf(nil, request, "attack"))
			if answer.Status == 0 {
				assert.NotContains(t, fmt.Sprint(answer.Err), "i/o timeout", name)
			}
		}
		h2 := &http.Transport{Protocols: new(http.Protocols), DisableKeepAlives: true}
		h2.Protocols.SetUnencryptedHTTP2(true)
		for _, body := range []string{"id=" + url.QueryEscape(evil), "a=" + strings.Repeat("a", 100<<10) + "&id=" + url.QueryEscape(evil)} {
			for _, r := range []io.Reader{strings.NewReader(body), io.MultiReader(strings.NewReader(body))} { // with a length and without
				req, err := http.NewRequest(http.MethodPost, "http://"+h.Addr("h2")+"/h2", r)
				require.NoError(t, err)
				req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				if resp, err := h2.RoundTrip(req); err == nil {
					assert.Contains(t, []int{403, 413, 503}, resp.StatusCode) // 503: the rules took too long
					resp.Body.Close()
				}
			}
		}
		assert.Empty(t, v.reached())
		require.Eventually(t, func() bool { // late rules end first
			return h.Get("/", "User-Agent", "test", "Accept", "*/*").Status == 200
		}, servicetest.Patience, 10*time.Millisecond)
	})
}

// TestSlowBody: HAProxy answers a client that does not send the announced body, and does
// not ask the agent.
func TestSlowBody(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		h := startHAProxy(t, bin, startAgent(t, ""), "timeout http-request    10s", "timeout http-request    300ms")
		for name, body := range map[string]string{
			"a length":            "Content-Length: 100\r\n\r\nhalf",
			"chunks":              "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
			"a chunk that is cut": "Transfer-Encoding: chunked\r\n\r\n64\r\nhalf",
			"no trailer's end":    "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\nX: y\r\n",
		} {
			conn, err := net.Dial("tcp", h.Addr("http"))
			require.NoError(t, err)
			defer conn.Close()
			_, err = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: site\r\n"+body)
			require.NoError(t, err)
			require.NoError(t, conn.SetDeadline(time.Now().Add(servicetest.Patience)))
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			require.NoError(t, err, name)
			assert.Equal(t, http.StatusRequestTimeout, resp.StatusCode, name)
		}
	})
}

// TestNotSeen: README.md says what the rules do not see.
func TestNotSeen(t *testing.T) {
	attribute := `<a b="` + evil + `"/>`
	for name, request := range map[string]string{
		"XML":     post("Content-Type: application/xml\r\n"+length(attribute), attribute),
		"trailer": post("Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n", "3\r\na=b\r\n0\r\nCookie: a="+evil+"\r\n\r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
				v := startVictim(t)
				h := haproxytest.Start(t, bin, shipped(t, startAgent(t, "").Addr(t), v.addr))
				waitUp(t, h, 1)
				assert.Equal(t, 200, crs.Send(h.Addr("http"), fmt.Appendf(nil, request, name)).Status)
				if name == "trailer" && bin.AtLeast("3.2") {
					assert.Empty(t, v.reached(), "HAProxy removes trailers")
				} else {
					assert.NotEmpty(t, v.reached())
				}
			})
		})
	}
}

// TestTwoHosts: no request is judged by the rules of one host and then served by a site
// that goes by another one.
func TestTwoHosts(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		h := startHAProxy(t, bin, startAgent(t, settings))
		for name, request := range map[string]string{
			"an absolute form":       "GET http://any.example/?do=deny HTTP/1.1\r\nHost: watch.example\r\nConnection: close\r\n\r\n",
			"two hosts":              "GET /?do=deny HTTP/1.1\r\nHost: watch.example\r\nHost: any.example\r\nConnection: close\r\n\r\n",
			"two hosts, the other":   "GET /?do=deny HTTP/1.1\r\nHost: any.example\r\nHost: watch.example\r\nConnection: close\r\n\r\n",
			"a host with a comma":    "GET /?do=deny HTTP/1.1\r\nHost: watch.example,any.example\r\nConnection: close\r\n\r\n",
			"a host behind an at":    "GET /?do=deny HTTP/1.1\r\nHost: watch.example@any.example\r\nConnection: close\r\n\r\n",
			"a host behind a space":  "GET /?do=deny HTTP/1.1\r\nHost: watch.example any.example\r\nConnection: close\r\n\r\n",
			"a host behind a colon":  "GET /?do=deny HTTP/1.1\r\nHost: watch.example:any.example\r\nConnection: close\r\n\r\n",
			"a host behind a slash":  "GET /?do=deny HTTP/1.1\r\nHost: watch.example/any.example\r\nConnection: close\r\n\r\n",
			"an absolute form alone": "GET http://any.example/?do=deny HTTP/1.0\r\n\r\n",
			"no host":                "GET /?do=deny HTTP/1.0\r\n\r\n",
		} {
			assert.Equal(t, 400, crs.Send(h.Addr("http"), []byte(request)).Status, name)
		}
	})
}

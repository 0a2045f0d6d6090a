//go:build unix && !race

package docs_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/internal/recipes"
)

// The buffer that the recipe asks for, and bodies with a forbidden word at their very end.
const bodyBuffer = 65536

func bodyOf(n int, end string) string { return strings.Repeat("x", n-len(end)) + end }

func TestCookbookBody(t *testing.T) {
	const refused = "DROP TABLE students"
	s := recipes.Setup{Edits: []string{"    option http-buffer-request", "    bind {{addr \"h2\"}} proto h2\n    option http-buffer-request"}}
	runRecipe(t, "body/haproxy.cfg", s, func(k *runningRecipe) {
		for _, c := range []struct {
			name, method, body string
			chunked            bool
			status             int
		}{
			{"small", "POST", "a=1", false, 200},
			{"small, refused", "POST", refused, false, 403},
			{"whatever the method", "DELETE", refused, false, 403},
			{"none", "GET", "", false, 200},
			{"empty", "POST", "", false, 200},
			{"larger than HAProxy's usual buffer", "POST", bodyOf(40_000, "."), false, 200},
			{"larger than HAProxy's usual buffer, refused", "POST", bodyOf(40_000, refused), false, 403},
			{"as large as the buffer", "POST", bodyOf(bodyBuffer, refused), false, 413},
			// Where req.body_size is wrong over HTTP/2 before 3.4.
			{"a little more than what fits", "POST", bodyOf(bodyBuffer-1024, refused), false, 413},
			{"larger than the buffer", "POST", bodyOf(300_000, refused), false, 413},
			{"refused by its beginning", "POST", refused + bodyOf(300_000, "."), false, 403},
			{"small, without a length", "POST", "a=1", true, 200},
			{"small, without a length, refused", "POST", refused, true, 403},
			{"larger than the buffer, without a length", "POST", bodyOf(300_000, refused), true, 413},
		} {
			for version, url := range map[string]string{"HTTP/1.1": k.URL, "HTTP/2": "http://" + k.Addr("h2")} {
				var resp haproxytest.Response
				recipes.Until(k.t, func() bool {
					resp = k.post(url, c.method, c.body, c.chunked)
					return resp.Status == c.status
				}, func() string {
					return fmt.Sprintf("%s, %s: want status %d, got %v", c.name, version, c.status, resp)
				})
				if resp.Status == 200 {
					assert.EqualValues(k.t, len(c.body), seen(k.t, resp).Length, "%s, %s", c.name, version)
				}
			}
		}

		k.agent().Kill()
		recipes.Until(k.t, func() bool { return k.post(k.URL, "POST", "a=1", false).Status == 503 }, func() string { return "it does not fail closed" })
		k.get(200, "/") // there is nothing to inspect
	})
}

// TestCookbookBodyFrames: tune.bufsize comes behind the filter line, and frames are
// smaller than the buffer. HAProxy before 3.1 cuts the message into fragments, later
// ones drop it, and the rule sees that there is no answer.
func TestCookbookBodyFrames(t *testing.T) {
	s := recipes.Setup{Edits: []string{"    tune.bufsize 65536\n", "    tune.bufsize 16384\n", "\nbackend site\n", "\nglobal\n    tune.bufsize 65536\n\nbackend site\n"}}
	runRecipe(t, "body/haproxy.cfg", s, func(k *runningRecipe) {
		want := 403
		if k.Binary.AtLeast("3.1") {
			want = 400
		}
		recipes.Until(k.t, func() bool {
			return k.post(k.URL, "POST", bodyOf(40_000, "drop table"), false).Status == want
		}, func() string { return fmt.Sprintf("it does not end with status %d", want) })
		if want == 400 {
			k.logged(`SPOE: \[body\] .* st=(3) `)
		}
	})
}

// TestCookbookBodySlow: HAProxy waits for the rest of an announced body until "timeout
// http-request".
func TestCookbookBodySlow(t *testing.T) {
	s := recipes.Setup{Edits: []string{"timeout http-request 10s", "timeout http-request 300ms"}}
	runRecipe(t, "body/haproxy.cfg", s, func(k *runningRecipe) {
		conn, err := net.Dial("tcp", k.Addr("http"))
		require.NoError(k.t, err)
		defer conn.Close()
		_, err = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: site\r\nContent-Length: 10\r\n\r\nhalf")
		require.NoError(k.t, err)
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(k.t, err)
		resp.Body.Close()
		assert.Equal(k.t, 408, resp.StatusCode)
	})
}

// post sends a body with its length, or without. HAProxy may have refused it and
// closed the connection before it is sent: then there is no status, but the error in
// place of a body.
func (k *runningRecipe) post(url, method, body string, chunked bool) haproxytest.Response {
	k.t.Helper()
	var r io.Reader = strings.NewReader(body)
	if chunked {
		r = io.MultiReader(r) // which net/http cannot know the length of
	}
	req, err := http.NewRequest(method, url+"/", r)
	require.NoError(k.t, err)
	transport := &http.Transport{DisableKeepAlives: true}
	if url != k.URL {
		transport.Protocols = new(http.Protocols)
		transport.Protocols.SetUnencryptedHTTP2(true)
	}
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return haproxytest.Response{Body: err.Error()}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(k.t, err)
	return haproxytest.Response{Status: resp.StatusCode, Header: resp.Header, Body: string(text)}
}

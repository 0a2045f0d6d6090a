package haproxy_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/haproxy"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe/spoetest"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

// versionFor returns the Config.Version for an old HAProxy, or "": files for all versions.
func versionFor(bin haproxytest.Binary) string {
	if bin.AtLeast("2.6") {
		return ""
	}
	return "2.2"
}

// oddRequests are request lines that HAProxy takes, with their samples in many a
// state: no path, an absolute URL, an empty query, HTTP/1.0.
var oddRequests = []string{
	"GET / HTTP/1.1", "GET /?a=1&a= HTTP/1.0", "GET /%00%ff//..?? HTTP/1.1", "OPTIONS * HTTP/1.1",
	"GET http://a/x HTTP/1.1", "GET http://a HTTP/1.1", "HEAD /h HTTP/1.1", "X-ODD / HTTP/1.1",
}

// TestWrittenArrives: each event, and each group in place of it, sends its message from
// the files that Write makes, whatever the request line is.
func TestWrittenArrives(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		for _, event := range router.Events() {
			for _, group := range []string{"", "g"} {
				t.Run(strings.TrimSuffix(string(event)+" "+group, " "), func(t *testing.T) {
					t.Parallel()
					arrived := make(chan bool, 100)
					r := router.New()
					route := r.Handle("m", func(context.Context, struct{}) (sure, error) {
						arrived <- true
						return sure{Known: true}, nil
					}).Event(event)
					if group != "" {
						route.Group(group)
					}
					c := haproxy.Config{Engine: "guard", Processing: 20 * time.Second, Version: versionFor(bin)}
					if tcp := event == router.OnTCPResponse || event == router.OnServerSession; tcp && group != "" && !bin.AtLeast("2.4") {
						_, err := haproxy.Write(haproxy.Describe(r), c)
						require.ErrorContains(t, err, "never sends a group by tcp-response rules")
						return
					}
					f := write(t, r, c)
					h := haproxytest.Start(t, bin, site(t, f, spoetest.Serve(t, r), "    timeout http-request 10s"))
					for _, line := range oddRequests {
						answer := responseTo(t, strings.TrimPrefix(h.URL, "http://"), line)
						require.Contains(t, answer, " 200 OK", line)
						select {
						case <-arrived:
						case <-time.After(20 * time.Second):
							assert.Fail(t, "the message did not arrive", "%s\n%s\n%s", line, f.Frontend, f.Site)
						}
						for len(arrived) > 0 { // an event may occur more than once
							<-arrived
						}
					}
				})
			}
		}
	})
}

// responseTo sends a request with that line and returns the response.
func responseTo(t *testing.T, addr, line string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(30*time.Second)))
	_, err = fmt.Fprint(conn, line+"\r\nHost: a\r\nConnection: close\r\n\r\n")
	require.NoError(t, err)
	b, err := io.ReadAll(conn)
	require.NoError(t, err)
	return string(b)
}

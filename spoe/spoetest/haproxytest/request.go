package haproxytest

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"time"
)

// Client is an HTTP client whose connections end with the test.
func (h *HAProxy) Client() *http.Client { return h.client }

// Response is a response that was read to its end.
type Response struct {
	Status int
	Header http.Header
	Body   string
}

// Get requests a path of URL with the given headers, pairs of name and value. It
// does not follow redirects: a test wants to see the 302 to a login page. Client
// follows them.
func (h *HAProxy) Get(path string, headers ...string) Response {
	h.tb.Helper()
	return h.request(http.MethodGet, path, "", headers)
}

// Post sends body to a path of URL with the given headers, as Get does.
func (h *HAProxy) Post(path, body string, headers ...string) Response {
	h.tb.Helper()
	return h.request(http.MethodPost, path, body, headers)
}

// Status returns the status of a Get, or 0 where no whole response came. Unlike Get it may
// be called by any goroutine: it does not fail the test.
func (h *HAProxy) Status(path string, headers ...string) int {
	resp, err := h.do(http.MethodGet, path, "", headers)
	if err != nil {
		return 0
	}
	return resp.Status
}

func (h *HAProxy) request(method, path, body string, headers []string) Response {
	h.tb.Helper()
	resp, err := h.do(method, path, body, headers)
	if err != nil {
		h.tb.Fatal(err)
	}
	return resp
}

func (h *HAProxy) do(method, path, body string, headers []string) (Response, error) {
	req, err := http.NewRequest(method, h.URL+path, strings.NewReader(body))
	if err != nil {
		return Response{}, err
	}
	if len(headers)%2 != 0 {
		return Response{}, fmt.Errorf("%s %s: header %q has no value", method, path, headers[len(headers)-1])
	}
	for i := 0; i < len(headers); i += 2 {
		if strings.EqualFold(headers[i], "Host") {
			req.Host = headers[i+1]
			continue
		}
		req.Header.Add(headers[i], headers[i+1])
	}
	client := *h.client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Do(req)
	if err != nil {
		return Response{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return Response{Status: resp.StatusCode, Header: resp.Header, Body: string(text)}, err
}

// Command sends a command of HAProxy's Runtime API, such as "show servers
// state" or "disable server agents/agent", and returns the answer.
func (h *HAProxy) Command(command string) string {
	h.tb.Helper()
	answer, err := h.admin(command)
	if err != nil {
		h.tb.Fatalf("%v, command %q: %v", h.Binary, command, err)
	}
	return answer
}

func (h *HAProxy) admin(command string) (string, error) {
	conn, err := net.Dial("unix", filepath.Join(h.Dir, adminSocket))
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(waitLimit)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(conn, command+"\n"); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(conn)
	return string(answer), err
}

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
)

// visit is a request with the expected answer.
type visit struct {
	target string // "" is /
	from   string // in X-Forwarded-For; "" is 127.0.0.1, which sends none
	body   string // of a POST
	before int    // how often it is made at first, before it counts
	status int
	origin string // how the origin's answer ends, if the status is 200
	why    string
}

// answer is the result of a visit. The origin sees only the visits that are let
// through.
type answer struct {
	status int
	origin string // the origin's body
}

func (v visit) check(a answer) error {
	switch {
	case a.status != v.status:
		return fmt.Errorf("status %d instead of %d", a.status, v.status)
	case a.status == http.StatusOK && !strings.HasSuffix(a.origin, v.origin):
		return fmt.Errorf("the origin got %q instead of %q", a.origin, v.origin)
	}
	return nil
}

// asker visits the site, through HAProxy or as HAProxy.
type asker interface {
	ask(ctx context.Context, v visit) (answer, error)
	command(v visit) string // how people would do it
	installed() bool        // the program that the command needs
	Close() error
}

type httpClient struct {
	url    string // without a path
	client http.Client
}

func (c *httpClient) command(v visit) string {
	line := "curl "
	if v.from != "" {
		line += "-H 'X-Forwarded-For: " + v.from + "' "
	}
	if v.body != "" {
		line += `-d "` + v.body + `" `
	}
	if strings.ContainsAny(v.target, "?&'") {
		return line + `"` + c.url + v.target + `"`
	}
	return line + c.url + "/" + strings.TrimPrefix(v.target, "/")
}

func (c *httpClient) ask(ctx context.Context, v visit) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	method := http.MethodGet
	if v.body != "" {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, c.url+"/"+strings.TrimPrefix(v.target, "/"), strings.NewReader(v.body))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("User-Agent", "curl/8")
	req.Header.Set("Accept", "*/*")
	if v.body != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if v.from != "" {
		req.Header.Set("X-Forwarded-For", v.from)
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return answer{status: resp.StatusCode, origin: string(body)}, err
}

func (*httpClient) installed() bool {
	_, err := exec.LookPath("curl")
	return err == nil
}

func (c *httpClient) Close() error {
	c.client.CloseIdleConnections()
	return nil
}

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os/exec"
	"strings"

	"github.com/spoke-go/spoke/spoe/spoetest"
)

// visitor is an address and what the sample lists and haproxy.cfg of
// examples/ip-reputation make of it.
type visitor struct {
	addr   string // "" is 127.0.0.1, which sends no X-Forwarded-For
	status int
	score  int
	list   string
	why    string
}

var visitors = []visitor{
	{"", 200, 100, "", "on no list"},
	{"192.0.2.66", 403, 0, "blocklist", "refused: on the list blocklist"},
	{"192.0.2.10", 200, 100, "allow", "on the same list, but the allow list wins"},
	{"198.51.100.7", 403, 0, "drop", "refused: on the list drop"},
	{"203.0.113.9", 403, 20, "tor", "refused: a Tor exit"},
	{"203.0.113.10", 200, 50, "suspects", "let through, but marked for the origin: suspects"},
	{"2001:db8:bad::1", 403, 0, "blocklist", "refused: on the list blocklist"},
	{"2001:db8:1::1", 200, 100, "", "on no list"},
}

// answer is what came of a visit. The verdict is not known of a refused one: only
// the origin sees it.
type answer struct {
	status int
	origin string // what the origin said
}

func (v visitor) check(a answer) error {
	want := fmt.Sprintf("score=%d list=%s\n", v.score, v.list)
	switch {
	case a.status != v.status:
		return fmt.Errorf("status %d instead of %d", a.status, v.status)
	case a.status == http.StatusOK && !strings.HasSuffix(a.origin, want):
		return fmt.Errorf("the origin got %q instead of %q", a.origin, want)
	}
	return nil
}

// asker visits the site, through HAProxy or as HAProxy.
type asker interface {
	ask(ctx context.Context, v visitor) (answer, error)
	command(v visitor) string // how people would do it
	installed() bool          // the variables that takes
}

type httpClient struct {
	url    string
	client http.Client
}

func (c *httpClient) command(v visitor) string {
	if v.addr == "" {
		return "curl " + c.url
	}
	return fmt.Sprintf("curl -H 'X-Forwarded-For: %s' %s", v.addr, c.url)
}

func (c *httpClient) ask(ctx context.Context, v visitor) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return answer{}, err
	}
	if v.addr != "" {
		req.Header.Set("X-Forwarded-For", v.addr)
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

func (c *httpClient) Close() { c.client.CloseIdleConnections() }

type spopClient struct{ *spoetest.Client }

func dialSPOP(ctx context.Context, addr string) (spopClient, error) {
	client, err := spoetest.Dial(ctx, "tcp", addr)
	return spopClient{client}, err
}

func (spopClient) installed() bool { return true }

func (spopClient) command(v visitor) string { return "ip-rep ip=" + v.source().String() }

// ask follows haproxy.cfg: below 30 is refused, and without an answer the
// request passes with neither score nor list.
func (c spopClient) ask(ctx context.Context, v visitor) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	vars, err := c.Ask(ctx, "ip-rep", spoetest.Arg("ip", v.source()))
	if err != nil {
		return answer{}, err
	}
	if vars.Has("sess.ip_score") && vars.Int("sess.ip_score") < 30 {
		return answer{status: http.StatusForbidden}, nil
	}
	return answer{
		status: http.StatusOK,
		origin: fmt.Sprintf("score=%d list=%s\n", vars.Int("sess.ip_score"), vars.Str("sess.ip_list")),
	}, nil
}

func (v visitor) source() netip.Addr {
	if v.addr == "" {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return netip.MustParseAddr(v.addr)
}

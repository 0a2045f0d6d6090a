package browsertest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/haproxy"
	"github.com/spoke-go/spoke/inspect"
	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

var (
	screenshots = flag.String("screenshots", "", "write screenshots of the page into this `folder`")
	busyFor     = flag.Duration("busy", time.Second, "let visitors come for this long before the page is looked at")
)

// The agent of the tour has the messages of docs/haproxy.md's first agent.
type (
	client struct {
		IP netip.Addr `spoe:"ip" fetch:"src"`
	}
	known struct {
		Times int `spoe:"times,sess"`
	}
	request struct {
		IP          netip.Addr `spoe:"ip" fetch:"req.hdr_ip(x-forwarded-for,-1)"`
		Method      string     `spoe:"method" fetch:"method"`
		Path        string     `spoe:"path" fetch:"path"`
		Agent       string     `spoe:"agent" fetch:"req.fhdr(user-agent)"`
		Session     string     `spoe:"session,secret" fetch:"req.cook(session)"`
		Traceparent string     `spoe:"traceparent" fetch:"req.hdr(traceparent)"`
	}
	verdict struct {
		Score  int    `spoe:"score"`
		Action string `spoe:"action"`
	}
	response struct {
		Status int `spoe:"status" fetch:"status"`
	}
)

func guard(r *router.Router) {
	r.Handle("client", func(context.Context, client) (known, error) { return known{Times: 1}, nil }).
		Event(router.OnClientSession)
	r.Handle("request", func(ctx context.Context, q request) (verdict, error) {
		switch {
		case strings.HasPrefix(q.Path, "/login"):
			time.Sleep(time.Duration(q.IP.As4()[3]) * 50 * time.Microsecond)
		case q.Path == "/export":
			<-ctx.Done()
			return verdict{}, ctx.Err()
		case q.Path == "/broken":
			return verdict{}, errors.New("the list of sessions cannot be read: connection refused")
		case strings.HasPrefix(q.Agent, "scanner"):
			return verdict{Score: 5, Action: "deny"}, nil
		}
		return verdict{Score: 100 - int(q.IP.As4()[3])/4, Action: "allow"}, nil
	}).Event(router.OnFrontendHTTPRequest)
	r.Handle("response", func(context.Context, response) (struct{}, error) { return struct{}{}, nil }).
		Event(router.OnHTTPResponse)
}

// tour starts the agent behind HAProxy, with all that the page can show, and opens it.
func tour(t *testing.T) (*haproxytest.HAProxy, context.Context) {
	var r router.Router
	agent := &spoe.Agent{Handler: &r}
	var files haproxy.Files
	config := inspect.Config{
		Name: "guard", Agent: agent, Routes: r.Routes,
		HAProxy: func() ([]inspect.File, error) {
			return []inspect.File{{Name: "spoe.conf", Text: files.SPOE}, {Name: "agents.cfg", Text: files.Backend}}, nil
		},
		Findings: func() ([]string, error) { return nil, nil },
	}
	page := inspect.New(config)
	r.Use(middleware.Default(100*time.Millisecond, middleware.DefaultConfig{Observers: []spoe.Middleware{page.Middleware()}}))
	guard(&r)
	srv := httptest.NewServer(page)
	t.Cleanup(srv.Close)
	t.Cleanup(func() { _ = page.Close() })
	addr := listen(t, agent)
	files, err := haproxy.Write(haproxy.Describe(&r), haproxy.Config{Engine: "guard", Agents: []string{addr}})
	require.NoError(t, err)

	found, err := haproxytest.Installed()
	require.NoError(t, err)
	require.NotEmpty(t, found, "install haproxy: make haproxy")
	h := haproxytest.Start(t, found[0], haproxytest.Config{
		Config: "{{defaults \"http\"}}\n" +
			"frontend www\n    bind {{addr \"http\"}}\n    filter spoe engine guard config spoe.conf\n    default_backend site\n" +
			"backend site\n    server site {{addr \"site\"}}\n" +
			"frontend site\n    bind {{addr \"site\"}}\n    http-request return status 200\n",
		Files: map[string]string{"spoe.conf": files.SPOE, "agents.cfg": files.Backend},
		Args:  []string{"-f", "agents.cfg"},
	})
	ctx := browse(t)
	run(t, ctx, chromedp.Navigate(srv.URL+"/inspect/"))
	until(t, ctx, `document.getElementById("status-text").textContent === "Live"`)
	return h, ctx
}

// visit sends requests of several kinds of visitors until ctx ends.
func visit(ctx context.Context, h *haproxytest.HAProxy) {
	paths := []string{"/", "/login", "/products/42", "/search?q=lamp", "/cart", "/login?next=/cart"}
	agents := []string{"Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0", "curl/8.14.1", "scanner/1.0", "Mozilla/5.0 (iPhone) Safari/605.1"}
	for i := 0; ctx.Err() == nil; i++ {
		path := paths[i%len(paths)]
		switch i % 500 {
		case 7, 240:
			path = "/export"
		case 9, 400:
			path = "/broken"
		}
		h.Get(path, "X-Forwarded-For", fmt.Sprintf("198.51.100.%d", 10+i*7%200), "User-Agent", agents[i%len(agents)], "Cookie", "session=hunter2",
			"Traceparent", fmt.Sprintf("00-4bf92f3577b34da6a3ce929d0e0e%04x-00f067aa0ba902b7-01", i))
		time.Sleep(time.Duration(20+30*(i/100%4)) * time.Millisecond)
	}
}

// shoot writes a screenshot if the test was asked to.
func shoot(t *testing.T, ctx context.Context, name string) {
	if *screenshots == "" {
		return
	}
	time.Sleep(500 * time.Millisecond) // until the page is drawn
	b := run(t, ctx, chromedp.CaptureScreenshot())
	require.Less(t, len(b), 200<<10, "the screenshot %s is too large for the repository", name)
	require.NoError(t, os.WriteFile(filepath.Join(*screenshots, name+".png"), b, 0o644))
}

// TestTour opens each tab of a page that has something to show in all of them.
func TestTour(t *testing.T) {
	h, ctx := tour(t)
	busy, rest := context.WithCancel(t.Context())
	var visitors sync.WaitGroup
	visitors.Go(func() { visit(busy, h) }) // ends with rest
	defer visitors.Wait()
	defer rest()
	time.Sleep(*busyFor)
	const messages = `document.querySelector("#message-table tbody").textContent`
	until(t, ctx, `/error \d.*timeout \d/.test(`+messages+`)`)
	until(t, ctx, messages+`.includes("peak")`)
	shoot(t, ctx, "inspect-messages")

	script(t, ctx, `[...document.querySelectorAll("#slow-table tbody tr")].find((r) => r.textContent.includes("/export")).click()`)
	until(t, ctx, `!document.getElementById("tail").hidden && document.getElementById("detail").textContent.includes("/export")`)
	until(t, ctx, `document.getElementById("detail").textContent.includes("4bf92f3577b34da6a3ce929d0e0e")`)
	until(t, ctx, tailText+`.includes("/cart")`)
	script(t, ctx, `[...document.querySelectorAll("#tail-table tbody tr")].find((r) => r.textContent.includes("/cart")).click()`)
	until(t, ctx, `document.getElementById("detail").textContent.includes("txn.score")`)
	until(t, ctx, `document.getElementById("detail").textContent.includes("REDACTED") && !document.documentElement.outerHTML.includes("hunter2")`)
	shoot(t, ctx, "inspect-tail")

	click(t, ctx, "tab-connections")
	until(t, ctx, `document.querySelector("#conn-table tbody").textContent.includes("127.0.0.1:")`)
	shoot(t, ctx, "inspect-connections")

	click(t, ctx, "theme")
	click(t, ctx, "tab-configuration")
	const configuration = `document.getElementById("configuration").textContent`
	until(t, ctx, configuration+`.includes("spoe-agent guard") && `+configuration+`.includes("browsertest/tour_test.go:")`)
	until(t, ctx, configuration+`.includes("fits the agent")`)
	shoot(t, ctx, "inspect-configuration")
}

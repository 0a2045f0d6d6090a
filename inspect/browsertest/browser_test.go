package browsertest

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/inspect"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

const patience = 30 * time.Second

const spoeConf = `[inspect]
spoe-agent inspect
    messages ip-rep
    option var-prefix ip
    timeout hello 20s
    timeout idle 2m
    timeout processing 20s
    use-backend agents

spoe-message ip-rep
    args ip=src agent=req.fhdr(user-agent) path=path headers=req.hdrs_bin
    event on-frontend-http-request
`

type in struct {
	Agent string `spoe:"agent"`
	Path  string `spoe:"path"`
}

type out struct {
	Score int `spoe:"score,txn"`
}

// serve starts an agent with a page and returns the agent's address and the page's.
func serve(t *testing.T) (agent, page string) {
	var r router.Router
	a := &spoe.Agent{Handler: &r}
	p := inspect.New(inspect.Config{Name: "ip-reputation", Agent: a, Routes: r.Routes, HAProxy: func() ([]inspect.File, error) {
		return []inspect.File{{Name: "spoe.conf", Text: spoeConf}}, nil
	}, Findings: func() ([]string, error) { return nil, nil }})
	r.Use(p.Middleware())
	r.Handle("ip-rep", func(_ context.Context, in in) (out, error) {
		if strings.HasPrefix(in.Path, "/bad") {
			return out{}, fmt.Errorf("no list for %s", in.Path)
		}
		return out{Score: len(in.Path)}, nil
	})
	srv := httptest.NewServer(p)
	t.Cleanup(srv.Close)
	t.Cleanup(func() { _ = p.Close() })
	return listen(t, a), srv.URL + "/inspect/"
}

// listen serves an agent until the test ends, and returns its address.
func listen(t *testing.T, a *spoe.Agent) string {
	ln, err := spoe.Listen("127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- a.Serve(ln) }() // ends with Close
	t.Cleanup(func() {
		_ = a.Close()
		<-ended
	})
	return ln.Addr().String()
}

// browse starts a browser with a profile of its own.
func browse(t *testing.T) context.Context {
	path, err := exec.LookPath("chromium")
	require.NoError(t, err, "install chromium: make chromium")
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1280, 800),
		chromedp.Flag("disable-quic", true), chromedp.Flag("no-first-run", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-sync", true),
		chromedp.WSURLReadTimeout(patience), chromedp.UserDataDir(t.TempDir()))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(func() { _ = chromedp.Cancel(ctx); cancel() })
	// The first Run starts the browser, which ends with that Run's context.
	_, err = chromedp.Run(ctx, chromedp.Navigate("about:blank"))
	require.NoError(t, err)
	return ctx
}

// until waits until a JavaScript expression is true.
func until(t *testing.T, ctx context.Context, expression string) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		ok := run(t, ctx, chromedp.Evaluate[bool](expression))
		if ok {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("not true within %v: %s", patience, expression)
		}
	}
}

func run[T any](t *testing.T, ctx context.Context, action chromedp.Action[T]) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	result, err := chromedp.Run(ctx, action)
	require.NoError(t, err)
	return result
}

// script runs JavaScript statements.
func script(t *testing.T, ctx context.Context, code string) {
	t.Helper()
	run(t, ctx, chromedp.Evaluate[bool]("(() => {"+code+"; return true})()"))
}

func click(t *testing.T, ctx context.Context, id string) {
	t.Helper()
	script(t, ctx, `document.getElementById("`+id+`").click()`)
}

// start starts the agent and HAProxy, and opens the page.
func start(t *testing.T) (*haproxytest.HAProxy, context.Context) {
	agent, page := serve(t)
	found, err := haproxytest.Installed()
	require.NoError(t, err)
	require.NotEmpty(t, found, "install haproxy: make haproxy")
	h := haproxytest.Start(t, found[0], haproxytest.Config{Agent: agent, Files: map[string]string{"spoe.conf": spoeConf}})
	ctx := browse(t)
	run(t, ctx, chromedp.Navigate(page))
	until(t, ctx, `document.getElementById("status-text").textContent === "Live"`)
	return h, ctx
}

const tailText = `document.querySelector("#tail-table tbody").textContent`

func TestPage(t *testing.T) {
	h, ctx := start(t)
	const attack = `<script>document.title="owned"</script><img src=x onerror=alert(1)>`
	get := func(path string) {
		h.Get(path, "User-Agent", attack, "Cookie", "session=hunter2", "Authorization", "Bearer hunter2")
	}
	for i := range 40 {
		get(fmt.Sprintf("/page/%d", i))
	}
	get("/bad")
	until(t, ctx, `document.querySelector("#message-table tbody").textContent.includes("ok 40")`)
	until(t, ctx, `document.querySelector("#message-table tbody").textContent.includes("error 1")`)

	click(t, ctx, "tab-tail")
	until(t, ctx, tailText+`.includes("/page/3") && `+tailText+`.includes("<script>")`)
	script(t, ctx, `document.querySelectorAll("#tail-table tbody tr")[2].click()`)
	until(t, ctx, `document.getElementById("detail").textContent.includes("spoectl ask") && document.getElementById("detail").textContent.includes("<script>")`)
	until(t, ctx, `document.querySelectorAll("main script, main img").length === 0 && document.title === "ip-reputation · inspect"`)
	until(t, ctx, `!document.documentElement.outerHTML.includes("hunter2")`)
	until(t, ctx, `document.getElementById("detail").textContent.includes("REDACTED")`)

	t.Run("filter", func(t *testing.T) {
		// The page waits for the end of typing, and connects again.
		script(t, ctx, `document.getElementById("status-text").textContent = "";
			const f = document.getElementById("f-arg"); f.value = "path=/wanted"; f.dispatchEvent(new Event("input"))`)
		until(t, ctx, `document.getElementById("status-text").textContent === "Live"`)
		until(t, ctx, tailText+` === ""`)
		script(t, ctx, `document.activeElement.blur()`)
		get("/other")
		get("/wanted")
		until(t, ctx, tailText+`.includes("/wanted")`)
		until(t, ctx, `!`+tailText+`.includes("/other")`)
	})
	t.Run("pause", func(t *testing.T) {
		click(t, ctx, "pause")
		until(t, ctx, `document.getElementById("status-text").textContent === "Live, tail paused"`)
		get("/wanted/paused")
		time.Sleep(700 * time.Millisecond)
		until(t, ctx, `!`+tailText+`.includes("/wanted/paused")`)
		click(t, ctx, "pause")
		until(t, ctx, `document.getElementById("status-text").textContent === "Live"`)
		get("/wanted/resumed")
		until(t, ctx, tailText+`.includes("/wanted/resumed")`)
	})
	t.Run("keyboard and dark", func(t *testing.T) {
		script(t, ctx, `document.getElementById("tab-tail").focus()`)
		run(t, ctx, chromedp.KeyEvent(kb.ArrowRight))
		until(t, ctx, `!document.getElementById("connections").hidden && document.getElementById("tab-connections").getAttribute("aria-selected") === "true"`)
		click(t, ctx, "theme")
		until(t, ctx, `getComputedStyle(document.body).backgroundColor === "rgb(16, 21, 28)"`)
		click(t, ctx, "tab-configuration")
		until(t, ctx, `document.getElementById("configuration").textContent.includes("spoe-agent inspect")`)
	})
}

package browsertest

import (
	"context"
	"errors"
	"testing"
	"time"

	"net/http/httptest"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/inspect"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// hostile are values of visitors that a page which is careless somewhere would run.
var hostile = []string{
	`<script>window.owned=1</script>`,
	`</script><script>window.owned=1</script>`,
	`"><img src=x onerror=window.owned=1>`,
	`'><svg/onload=window.owned=1>`,
	`<iframe srcdoc="<script>parent.owned=1</script>"></iframe>`,
	`<a href="javascript:window.owned=1" autofocus onfocus=window.owned=1>x</a>`,
	`<style>*{display:none}</style><base href=//example.com/>`,
	`<math><mtext><table><mglyph><style><img src=x onerror=window.owned=1>`,
	`<template shadowrootmode=open><img src=x onerror=window.owned=1></template>`,
	`&lt;script&gt;window.owned=1&lt;/script&gt;`,
	`%3Cscript%3Ewindow.owned=1%3C/script%3E`,
	`\u003cscript\u003ewindow.owned=1\u003c/script\u003e`,
	`+ADw-script+AD4-window.owned=1+ADw-/script+AD4-`,             // UTF-7
	"\xff\xfe<\x00s\x00c\x00r\x00i\x00p\x00t\x00>\x00",            // UTF-16
	"\xc0\xbcscript\xc0\xbewindow.owned=1\xc0\xbc/script\xc0\xbe", // UTF-8 that is too long
	"\x1b$B<script>window.owned=1</script>\x1b(B",                 // ISO-2022-JP
	"\x00<script>window.owned=1</script>",                         // NUL
	"\u2028window.owned=1//\u2029",                                // ends of lines to JavaScript
	"\u202e>tpircs/<1=denwo.wodniw>tpircs<",                       // from right to left
	"\r\n\r\nevent: stats\ndata: {\"messages\":1}\n\n",            // an event of its own
	"x\r\nevent: sample\rdata: {}\r\r",                            //
	`__proto__`, `{"__proto__":{"owned":1}}`, `${window.owned=1}`, `{{constructor.constructor("window.owned=1")()}}`,
}

// No value of a visitor is more than text, wherever the page shows it: in an argument, a
// header block, a variable, an error.
func TestHostileValues(t *testing.T) {
	type in struct {
		Data   string `spoe:"data"`
		Broken bool   `spoe:"broken"`
	}
	type out struct {
		Data string `spoe:"data"`
	}
	var r router.Router
	a := &spoe.Agent{Handler: &r}
	p := inspect.New(inspect.Config{Agent: a, Routes: r.Routes})
	r.Use(p.Middleware())
	r.Handle("echo", func(_ context.Context, q in) (out, error) {
		if q.Broken {
			return out{}, errors.New("cannot read " + q.Data)
		}
		return out{q.Data}, nil
	})
	srv := httptest.NewServer(p)
	t.Cleanup(srv.Close)
	t.Cleanup(func() { _ = p.Close() })
	client, err := spoetest.Dial(t.Context(), "tcp", listen(t, a))
	require.NoError(t, err)
	defer client.Close()

	ctx := browse(t)
	run(t, ctx, chromedp.Navigate(srv.URL+"/inspect/"))
	until(t, ctx, `document.getElementById("status-text").textContent === "Live"`)
	script(t, ctx, `window.violations = 0; document.addEventListener("securitypolicyviolation", () => window.violations++)`)
	click(t, ctx, "tab-tail")
	for i, value := range hostile {
		_, err := client.Ask(t.Context(), "echo", spoetest.Arg("data", value), spoetest.Arg("broken", i%2 == 1),
			spoetest.Arg("raw", []byte(value)), spoetest.Arg("text", "Host: a\r\nX-Evil: "+value+"\r\n\r\n"))
		require.NoError(t, err)
		time.Sleep(25 * time.Millisecond) // below the pace at which samples are left out
	}
	until(t, ctx, tailText+`.includes("constructor")`)
	until(t, ctx, `(() => { for (const row of document.querySelectorAll("#tail-table tbody tr")) {
		row.click();
		if (!document.getElementById("detail").textContent.includes("spoectl ask")) return false;
		if (document.querySelector("main script, main img, main iframe, main svg:not(.chart), main style, main base, main a, main math, main template, main object, main [onerror], main [onload], main [onfocus]")) throw new Error("markup: " + row.textContent);
	} return true })()`)
	until(t, ctx, `window.owned === undefined && ({}).owned === undefined && window.violations === 0`)
	for _, tab := range []string{"tab-messages", "tab-connections", "tab-configuration"} {
		click(t, ctx, tab)
	}
	time.Sleep(1200 * time.Millisecond) // the next numbers
	until(t, ctx, `document.getElementById("status-text").textContent === "Live" && document.querySelector("#message-table tbody").textContent.includes("echo")`)
	until(t, ctx, `window.owned === undefined && window.violations === 0`)
}

package browsertest

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/spoe/spoetest"
)

// Two pages follow 10,000 NOTIFYs a second: the counts of both are right.
func TestTwoPages(t *testing.T) {
	const clients, each, perSecond = 8, 3750, 10000
	addr, page := serve(t)
	first := browse(t)
	second, cancel := chromedp.NewContext(first)
	t.Cleanup(cancel)
	// The first Run opens the page, which ends with that Run's context.
	_, err := chromedp.Run(second, chromedp.Navigate("about:blank"))
	require.NoError(t, err)
	for _, ctx := range []context.Context{first, second} {
		run(t, ctx, chromedp.Navigate(page))
		until(t, ctx, `document.getElementById("status-text").textContent === "Live"`)
	}
	click(t, second, "tab-tail")

	var sending sync.WaitGroup
	begun := time.Now()
	for range clients {
		client, err := spoetest.Dial(t.Context(), "tcp", addr)
		require.NoError(t, err)
		defer client.Close()
		sending.Go(func() { // ends by itself
			for i := range each {
				time.Sleep(time.Until(begun.Add(time.Duration(i) * time.Second * clients / perSecond)))
				if _, err := client.Ask(t.Context(), "ip-rep", spoetest.Arg("agent", "curl/8"), spoetest.Arg("path", "/"+strings.Repeat("x", 50))); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	sending.Wait()
	t.Logf("%d NOTIFYs in %v, %.0f a second", clients*each, time.Since(begun), clients*each/time.Since(begun).Seconds())
	for _, ctx := range []context.Context{first, second} {
		until(t, ctx, `document.querySelector("#message-table tbody").textContent.includes("ok 30,000")`)
		until(t, ctx, `document.getElementById("status-text").textContent === "Live"`)
	}
	until(t, second, tailText+`.includes("curl/8")`)
}

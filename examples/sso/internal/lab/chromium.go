package lab

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"

	"github.com/chromedp/chromedp"
)

// patience is the maximum duration of one step in the browser, on a busy machine.
const patience = 45 * time.Second

// Chromium is a headless browser with its own profile, in a folder that the caller
// removes.
type Chromium struct {
	ctx  context.Context
	stop func()
}

// StartChromium starts the installed browser. It accepts every certificate.
func StartChromium(profile string) (*Chromium, error) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		return nil, errors.New("there is no chromium: apt-get install chromium")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(900, 560),
		chromedp.Flag("ignore-certificate-errors", true), chromedp.Flag("disable-quic", true), chromedp.Flag("no-first-run", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("host-resolver-rules", "MAP *.localhost 127.0.0.1"),
		chromedp.WSURLReadTimeout(patience), chromedp.UserDataDir(profile))
	ctx, endAllocator := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, endContext := chromedp.NewContext(ctx)
	c := &Chromium{ctx, func() {
		_ = chromedp.Cancel(ctx)
		endContext()
		endAllocator()
	}}
	// The first Run starts the browser, which ends with that Run's context.
	if _, err = chromedp.Run(ctx, chromedp.Navigate("about:blank")); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// Close ends the browser.
func (c *Chromium) Close() { c.stop() }

// Open opens an address.
func (c *Chromium) Open(address string) error {
	_, err := run(c, chromedp.Navigate(address))
	return err
}

// Eval returns the value of a JavaScript expression.
func Eval[T any](c *Chromium, expression string) (T, error) {
	return run(c, chromedp.Evaluate[T](expression))
}

// Until waits until a JavaScript expression is true.
func (c *Chromium) Until(expression string) error {
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		ok, err := Eval[bool](c, expression) // fails while a page is being left
		if err == nil && ok {
			return nil
		}
		if time.Now().After(end) {
			at, _ := Eval[string](c, `location.href + " " + document.body.innerText`)
			return errors.Join(fmt.Errorf("not true within %v: %s; the page is %s", patience, expression, at), err)
		}
	}
}

// Login fills in the provider's form and waits until a site shows the user.
func (c *Chromium) Login(user string) error {
	if err := c.Until(`!!document.getElementById("password")`); err != nil {
		return err
	}
	fill := fmt.Sprintf(`document.getElementById("username").value = %q; document.getElementById("password").value = %q; document.getElementById("submit").click(); true`, user, Password)
	if _, err := Eval[bool](c, fill); err != nil {
		return err
	}
	return c.Until(`document.getElementById("user")?.innerText == "` + user + `"`)
}

// Screenshot returns the page as PNG.
func (c *Chromium) Screenshot() ([]byte, error) {
	time.Sleep(300 * time.Millisecond) // until the page is drawn
	return run(c, chromedp.CaptureScreenshot())
}

func run[T any](c *Chromium, action chromedp.Action[T]) (T, error) {
	ctx, cancel := context.WithTimeout(c.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, action)
}

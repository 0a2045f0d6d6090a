package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spoke-go/spoke/examples/sso/internal/lab"
)

// drive visits the sites in a browser as a visitor would, and shows the results.
func (d *demo) drive() error {
	c, err := lab.StartChromium(filepath.Join(d.dir, "profile"))
	if err != nil {
		return err
	}
	defer c.Close()
	fmt.Println("\nA browser, driven by this program:")
	wrong := 0
	step := func(what string, do func() error) {
		outcome := "as it should be"
		if err := do(); err != nil {
			wrong++
			outcome = "WRONG: " + err.Error()
		} else if at, err := lab.Eval[string](c, `location.href.split("?")[0] + "  " + document.title`); err == nil {
			outcome = at
		}
		fmt.Printf("  %-62s %s\n", what, outcome)
	}
	open := func(address, until string) func() error {
		return func() error { return errors.Join(c.Open(address), c.Until(until)) }
	}
	const loginForm = `!!document.getElementById("password")`
	step("opens a page of the wiki and is sent to the login", func() error {
		// Until the agent finds its provider, the page says so.
		for range 20 {
			if err := c.Open(d.wiki + "/page?x=1"); err != nil {
				return err
			}
			if ok, err := lab.Eval[bool](c, loginForm); err == nil && ok {
				return nil
			}
		}
		return c.Until(loginForm)
	})
	step("logs in as bob and lands on the page that was asked for", func() error { return c.Login("bob") })
	step("opens the shop without a new login", open(d.shop+"/cart", `document.getElementById("user")?.innerText == "bob"`))
	step("may not see /admin/, as bob is not in the group", open(d.wiki+"/admin/", `document.title == "No access"`))
	step("logs out", func() error {
		if err := open(d.wiki+"/", `!!document.getElementById("logout")`)(); err != nil {
			return err
		}
		if _, err := lab.Eval[bool](c, `document.getElementById("logout").click(); true`); err != nil {
			return err
		}
		return c.Until(`document.title == "You are logged out"`)
	})
	step("is asked again", open(d.wiki+"/", loginForm))
	step("logs in as alice, who may see /admin/", func() error {
		return errors.Join(c.Login("alice"), open(d.wiki+"/admin/", `document.getElementById("groups")?.innerText == "staff,admins"`)())
	})
	if wrong > 0 {
		return fmt.Errorf("%d steps went wrong", wrong)
	}
	return nil
}

package main_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/examples/sso/internal/lab"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

var screenshots = flag.String("screenshots", "", "write screenshots into this `folder`")

// TestChromium: a person's way through two sites, in a real browser: login, the second
// site without one, logout, and the login again. Cookies have the prefix __Host-, which
// only a browser checks.
func TestChromium(t *testing.T) {
	c, err := lab.StartChromium(t.TempDir())
	require.NoError(t, err)
	defer c.Close()
	shoot := func(name string) {
		if *screenshots != "" {
			b, err := c.Screenshot()
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(*screenshots, name+".png"), b, 0o644))
		}
	}
	shows := func(expression string, want string) {
		t.Helper()
		got, err := lab.Eval[string](c, expression)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		w := newWorld(t, bin)
		require.NoError(t, c.Open(w.wiki+"/page?x=1"))
		require.NoError(t, c.Until(`!!document.getElementById("password")`))
		shoot("sso-login")
		require.NoError(t, c.Login("bob"))
		shows(`location.href`, w.wiki+"/page?x=1")
		shows(`document.getElementById("groups").innerText`, "staff")
		shows(`document.cookie`, "")
		shoot("sso-page")

		require.NoError(t, c.Open(w.shop+"/cart"))
		require.NoError(t, c.Until(`document.getElementById("user")?.innerText == "bob"`))
		shows(`location.href`, w.shop+"/cart")

		require.NoError(t, c.Open(w.wiki+"/admin/"))
		require.NoError(t, c.Until(`document.title == "No access"`))
		shoot("sso-forbidden")

		w.agents[0].clock.forward(11 * time.Minute)
		require.NoError(t, c.Open(w.wiki+"/again"))
		require.NoError(t, c.Until(`document.getElementById("user")?.innerText == "bob"`))
		shows(`location.href`, w.wiki+"/again")

		_, err := lab.Eval[bool](c, `document.getElementById("logout").click(); true`)
		require.NoError(t, err)
		require.NoError(t, c.Until(`document.title == "You are logged out"`))
		shows(`location.href`, w.wiki+"/.sso/bye")
		require.NoError(t, c.Open(w.wiki+"/"))
		require.NoError(t, c.Until(`!!document.getElementById("password")`))
	})
}

//go:build unix && !race

package docs_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/internal/recipes"
)

func TestCookbookAuth(t *testing.T) {
	runRecipe(t, "auth/haproxy.cfg", recipes.Setup{}, func(k *runningRecipe) {
		t := k.t
		forged := []string{"X-User", "root", "x_user", "root"}
		cookie := []string{"Cookie", "session=a-long-random-text"}

		v := seen(t, k.get(200, "/account", append(cookie, forged...)...))
		assert.Equal(t, []string{"alice"}, v.Header.Values("X-User"))
		for name, values := range v.Header {
			assert.NotContains(t, values, "root", name)
		}

		// A visitor without a session is sent to the login page, with the way back.
		for _, headers := range [][]string{nil, {"Cookie", "session=made-up"}, {"Cookie", "session="}} {
			resp := k.get(302, "/account?a=1&b=2", headers...)
			to, err := url.Parse(resp.Header.Get("Location"))
			require.NoError(t, err)
			assert.Equal(t, "/login", to.Path)
			assert.Equal(t, "/account?a=1&b=2", to.Query().Get("next"))
		}
		// Nothing that a client sends ends the header and begins another one.
		resp := k.get(302, "/%0d%0aSet-Cookie:%20session=x")
		assert.Empty(t, resp.Header.Get("Set-Cookie"))

		// The login page itself needs no session, and gets no user.
		assert.Empty(t, seen(t, k.get(200, "/login", forged...)).Header.Get("X-User"))

		k.agent().Kill()
		k.get(503, "/account", cookie...)
		k.get(503, "/login")
	})
}

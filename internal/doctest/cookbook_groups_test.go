//go:build unix && !race

package docs_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/internal/recipes"
)

func TestCookbookGroups(t *testing.T) {
	runRecipe(t, "groups/haproxy.cfg", recipes.Setup{}, func(k *runningRecipe) {
		t := k.t
		network := func(path string, headers ...string) string {
			return seen(t, k.get(200, path, headers...)).Header.Get("X-Network")
		}
		asked := func(want string, headers ...string) {
			t.Helper()
			recipes.Until(t, func() bool { return network("/", headers...) == want }, func() string { return "the network is not " + want })
		}
		asked("inside")
		asked("outside", "X-Forwarded-For", "10.0.0.1, 198.51.100.7") // set-src comes before
		asked("inside", "X-Forwarded-For", "198.51.100.7, 10.0.0.1")
		assert.Empty(t, network("/static/style.css", "X-Network", "forged"), "nobody is asked")

		// The second group has the answer to the first.
		assert.Equal(t, 200, k.login(200, browser, "198.51.100.7").Status)
		assert.Equal(t, 403, k.login(403, "curl/8", "198.51.100.7").Status)
		assert.Equal(t, 200, k.login(200, "curl/8", "10.0.0.1").Status)
		k.get(200, "/login") // GET asks no agent

		k.agent().Kill()
		assert.Empty(t, network("/"))
		k.login(403, browser, "10.0.0.1")
	})
}

// browser is the User-Agent of one, which has a comma as most have.
const browser = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"

// login sends a form until the response has a status.
func (k *runningRecipe) login(status int, userAgent, from string) haproxytest.Response {
	k.t.Helper()
	var resp haproxytest.Response
	recipes.Until(k.t, func() bool {
		req, err := http.NewRequest(http.MethodPost, k.URL+"/login", strings.NewReader("user=alice"))
		require.NoError(k.t, err)
		req.Header.Set("User-Agent", userAgent)
		req.Header.Set("X-Forwarded-For", from)
		resp = k.send(k.Client(), req)
		return resp.Status == status
	}, func() string { return resp.Body })
	return resp
}

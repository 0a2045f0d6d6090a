//go:build unix && !race

package docs_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/internal/recipes"
)

func TestCookbookRateLimit(t *testing.T) {
	// So slow that no bucket gets a new token while the test runs.
	runRecipe(t, "rate-limit/haproxy.cfg", recipes.Setup{Args: []string{"-rate", "0.001"}}, func(k *runningRecipe) {
		t := k.t
		passed := 0
		var retry string
		recipes.Until(t, func() bool {
			// An unknown key raises no limit.
			resp := k.Get("/", "X-API-Key", "made up "+strconv.Itoa(passed))
			if resp.Status == 200 {
				assert.Empty(t, seen(t, resp).Header.Get("X-Api-Key"), "the site does not see the key")
				passed++
			}
			retry = resp.Header.Get("Retry-After")
			return resp.Status == 429
		}, func() string { return "there is no limit" })
		assert.GreaterOrEqual(t, passed, 5, "the burst")
		seconds, err := strconv.Atoi(retry)
		require.NoError(t, err)
		assert.Positive(t, seconds)
		assert.LessOrEqual(t, seconds, 1000)

		for range 10 {
			k.get(200, "/", "X-API-Key", "a-long-random-text")
		}
		k.get(429, "/")

		k.agent().Kill()
		k.get(200, "/")
	})
}

//go:build unix && !race

package docs_test

import (
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"testing"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/internal/recipes"
)

// cookbook has the recipes of haproxy.md, by the path of their haproxy.cfg. Their tests run
// both programs and configuration as they are, but for the addresses. Programs are
// processes of their own, so the race detector would have nothing to see.
var cookbook = recipes.All()

func TestMain(m *testing.M) {
	flag.Parse()
	parallel := "6" // the tests wait for programs more than they compute
	flag.Visit(func(f *flag.Flag) {
		if f.Name == "test.parallel" {
			parallel = f.Value.String()
		}
	})
	if err := flag.Set("test.parallel", parallel); err != nil {
		panic(err)
	}
	code := m.Run()
	if err := recipes.RemovePrograms(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// runningRecipe is a recipe that runs: HAProxy, its agents, and a site behind.
type runningRecipe struct {
	recipes.Running
	t *testing.T
}

// runRecipe runs f with a recipe and each HAProxy that takes it, side by side with
// others.
func runRecipe(t *testing.T, name string, s recipes.Setup, f func(k *runningRecipe)) {
	r, ok := cookbook[name]
	require.True(t, ok, name)
	t.Parallel()
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		if !r.Takes(t, bin) {
			return
		}
		t.Parallel()
		f(start(t, r, bin, s))
	})
}

// start starts a recipe with a site behind it.
func start(t *testing.T, r recipes.Recipe, bin haproxytest.Binary, s recipes.Setup) *runningRecipe {
	t.Helper()
	s.Site = startSite(t)
	k := &runningRecipe{Running: r.Start(t, bin, s), t: t}
	k.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return k
}

// agent returns the only one of a recipe.
func (k *runningRecipe) agent() *recipes.Process {
	k.t.Helper()
	require.Len(k.t, k.Agents, 1)
	for _, a := range k.Agents {
		return a
	}
	return nil
}

// get requests a path until the response has a status. It tries more than once
// as this machine may be so busy that an agent misses its deadline.
func (k *runningRecipe) get(status int, path string, headers ...string) haproxytest.Response {
	k.t.Helper()
	var resp haproxytest.Response
	recipes.Until(k.t, func() bool {
		resp = k.Get(path, headers...)
		return resp.Status == status
	}, func() string {
		return fmt.Sprintf("GET %s: want status %d, got %d %v", path, status, resp.Status, resp.Header)
	})
	return resp
}

// logged waits for a line of HAProxy's log and returns what an expression's first
// group matches.
func (k *runningRecipe) logged(expr string) string {
	k.t.Helper()
	re := regexp.MustCompile("(?m)" + expr)
	var m []string
	recipes.Until(k.t, func() bool {
		m = re.FindStringSubmatch(k.Output())
		return m != nil
	}, func() string { return "no line of HAProxy's log matches " + expr })
	return m[len(m)-1]
}

// send sends a request and reads its response.
func (k *runningRecipe) send(c *http.Client, req *http.Request) haproxytest.Response {
	k.t.Helper()
	resp, err := c.Do(req)
	require.NoError(k.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(k.t, err)
	return haproxytest.Response{Status: resp.StatusCode, Header: resp.Header, Body: string(body)}
}

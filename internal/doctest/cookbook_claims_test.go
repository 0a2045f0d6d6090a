//go:build unix && !race

package docs_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/haproxy"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe/spoetest"

	"github.com/spoke-go/spoke/internal/recipes"
)

// TestCookbookClaims sees for itself what haproxy.md says of scopes, and of the
// order in which things happen.
func TestCookbookClaims(t *testing.T) {
	t.Parallel()
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		t.Parallel()
		var connected atomic.Int64
		r := claims(&connected)
		files, err := haproxy.Write(haproxy.Describe(r), haproxy.Config{Engine: "claims", Processing: recipes.Patience})
		require.NoError(t, err)
		h := haproxytest.Start(t, bin, haproxytest.Config{
			Agent: spoetest.Serve(t, r),
			Files: map[string]string{"spoe.conf": files.SPOE},
			Rules: `
    http-request set-var(txn.rule) str(set)
    http-request send-spoe-group claims ask
    http-request set-var(txn.less) str(yes) if { var(txn.claims.no_such_number) -m int lt 30 }
    http-request set-var(txn.not_less) str(yes) if !{ var(txn.claims.no_such_number) -m int lt 30 }
    http-request return status 200 hdr X-Less "%[var(txn.less)]" hdr X-Not-Less "%[var(txn.not_less)]" hdr X-Sess "%[var(sess.claims.path)]" hdr X-Txn "%[var(txn.claims.path)]" hdr X-Event "%[var(txn.claims.at_event)]" hdr X-Group "%[var(txn.claims.at_group)]"`,
		})
		header := func(path, name string) string { return h.Get(path).Header.Get(name) }

		assert.Equal(t, "nothing", header("/", "X-Event"), "an event comes before the rules")
		assert.Equal(t, "set", header("/", "X-Group"), "a group comes where its rule is")

		assert.Equal(t, "/first", header("/first", "X-Sess"))
		assert.Equal(t, "/first", header("/fails", "X-Sess"), "the session's is that of the request before")
		assert.Equal(t, "/first", header("/first", "X-Txn"))
		assert.Empty(t, header("/fails", "X-Txn"), "the transaction's is not")

		assert.Empty(t, header("/", "X-Less"), "a comparison with what is not there does not hold")
		assert.Equal(t, "yes", header("/", "X-Not-Less"), "its contrary does")

		assert.EqualValues(t, 8, connected.Load(), "on-client-session is there for each request of a connection")
	})
}

// claims is an agent whose answers show what HAProxy does.
func claims(connected *atomic.Int64) *router.Router {
	type question struct {
		Path string `spoe:"path" fetch:"path"`
		Rule string `spoe:"rule,default=nothing" fetch:"var(txn.rule)"`
	}
	type atEvent struct {
		Session     string `spoe:"path,sess"`
		Transaction string `spoe:"path,txn"`
		Rule        string `spoe:"at_event"`
	}
	type atGroup struct {
		Rule string `spoe:"at_group"`
	}
	r := router.New()
	r.Handle("event", func(_ context.Context, q question) (atEvent, error) {
		if q.Path == "/fails" {
			return atEvent{}, errors.New("it fails")
		}
		return atEvent{q.Path, q.Path, q.Rule}, nil
	}).Event(router.OnFrontendHTTPRequest)
	r.Handle("group", func(_ context.Context, q question) (atGroup, error) {
		return atGroup{q.Rule}, nil
	}).Group("ask")
	r.Observe("client", func(context.Context, struct{}) error {
		connected.Add(1)
		return nil
	}).Event(router.OnClientSession)
	return r
}

//go:build unix && !race

package visitors_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/spoke-go/spoke/internal/recipes"
)

// example is a program behind HAProxy, from the files that are shipped.
type example struct {
	name   string
	recipe recipes.Recipe
	prefix string // of its variables, with their scope
	shows  string // a format of HAProxy that shows the verdict
	// verdict is the header that shows the verdict, if there is one.
	verdict *regexp.Regexp
	// refusesProbes: no request for /.env reaches the site.
	refusesProbes bool
	// refusesDoubtful: no doubtful request reaches the site.
	refusesDoubtful bool
	// bodies: the agent is asked about requests with a body alone, and refuses bodies of
	// unknown length.
	bodies bool
	run    func(t *testing.T, bin haproxytest.Binary, e *example, site string) *haproxytest.HAProxy
	// responses: the verdict is about the response.
	responses bool
}

// asks reports whether the agent is asked about a request.
func (e *example) asks(r *request) bool { return !e.bodies || r.body != "" }

// A number, a truth or a word: not the '-' or nothing of a variable that is not set.
var (
	set    = regexp.MustCompile(`^[0-9A-Za-z]+$`)
	setTwo = regexp.MustCompile(`^[0-9A-Za-z]+/[0-9A-Za-z]+$`)
)

var examples = func() []example {
	all := []example{
		{name: "start/haproxy.cfg", prefix: "txn.guard", shows: "%[var(txn.guard.score)]/%[var(sess.guard.network)]", verdict: setTwo, refusesProbes: true},
		{name: "reputation/haproxy.cfg", prefix: "txn.iprep", shows: "%[var(txn.iprep.score)]"},
		{name: "auth/haproxy.cfg", prefix: "txn.auth", shows: "%[var(txn.auth.decision)]"},
		{name: "rate-limit/haproxy.cfg", prefix: "txn.limit", shows: "%[var(txn.limit.over)]"},
		{name: "response-headers/haproxy.cfg", prefix: "txn.headers", shows: "1", responses: true},
		{name: "body/haproxy.cfg", prefix: "txn.body", shows: "%[var(txn.body.bad)]", bodies: true},
		{name: "groups/haproxy.cfg", prefix: "txn.visitor", shows: "%[var(txn.visitor.network)]/%[var(txn.visitor.robot)]", verdict: setTwo},
		{name: "tls/haproxy.cfg", prefix: "txn.judge", shows: "%[var(txn.judge.score)]", refusesProbes: true},
		{name: "failing/haproxy-open.cfg", prefix: "txn.judge", shows: "%[var(txn.judge.score)]"},
		{name: "failing/haproxy-closed.cfg", prefix: "txn.judge", shows: "%[var(txn.judge.score)]"},
		{name: "several/haproxy.cfg", prefix: "txn.bots", shows: "%[var(txn.geo.country)]/%[var(txn.bots.score)]", verdict: setTwo},
		{name: "kubernetes/haproxy.cfg", prefix: "txn.guard", shows: "%[var(txn.guard.score)]", refusesProbes: true},
	}
	cookbook := recipes.All()
	for i := range all {
		e := &all[i]
		e.recipe, e.run = cookbook[e.name], runRecipe
	}
	all = append(all, example{name: "ip-reputation", prefix: "txn.iprep", shows: "%[var(txn.ip_score)]", refusesProbes: true, run: runReputation})
	all = append(all, example{name: "sso", prefix: "txn.sso", shows: "%[var(txn.sso.decision)]", refusesProbes: true, refusesDoubtful: true, run: runSSO})
	for i := range all {
		if all[i].verdict == nil {
			all[i].verdict = set
		}
	}
	return all
}()

// runRecipe runs a recipe of the cookbook.
func runRecipe(t *testing.T, bin haproxytest.Binary, e *example, site string) *haproxytest.HAProxy {
	s := recipes.Setup{Site: site, Change: e.change, Before: faraway(t)}
	switch e.recipe.Dir {
	case "kubernetes":
		pod := recipes.StartAgent(t, "kubernetes", "-listen", "127.0.0.1:0", "-probes", "127.0.0.1:0")
		s.None = true
		s.Edits = []string{
			"bind :8080", `bind {{addr "http"}}`,
			"site.edge.svc.cluster.local:80 resolvers kubernetes init-addr none", site,
			"guard.edge.svc.cluster.local:9000", s.Before(pod.Addr),
			" resolvers kubernetes init-addr none", "",
		}
	case "tls":
		dir := t.TempDir()
		s.Files = recipes.Certificates(t, dir)
		s.Args = []string{"-cert", filepath.Join(dir, "agent.pem"), "-key", filepath.Join(dir, "agent.key"), "-client-ca", filepath.Join(dir, "ca.pem")}
	case "rate-limit":
		s.Args = []string{"-rate", "1000000", "-burst", "1000000"}
	case "start":
		s.Edits = []string{"bind " + site, `bind {{addr "in place of a site"}}`}
	}
	return e.recipe.Start(t, bin, s).HAProxy
}

var ready = regexp.MustCompile(`msg=ready addresses=\[([^\]\s]+)\]`)

// runReputation runs examples/ip-reputation.
func runReputation(t *testing.T, bin haproxytest.Binary, e *example, site string) *haproxytest.HAProxy {
	dir := filepath.Join(recipes.Root(t), "examples/ip-reputation")
	agent := recipes.StartProgram(t, recipes.Module(t, "examples/ip-reputation"), ready, "-listen", "127.0.0.1:0", "-admin-listen", "127.0.0.1:0")
	beside := map[string]string{"spoe.conf": recipes.ReadFile(t, filepath.Join(dir, "spoe.conf")), "agents.cfg": recipes.ReadFile(t, filepath.Join(dir, "agents.cfg"))}
	config := haproxytest.ReadConfig(t, filepath.Join(dir, "haproxy.cfg"), `"${IPREP_FRONTEND}"`, `{{addr "http"}}`)
	config = e.change(config, beside)
	return haproxytest.Start(t, bin, haproxytest.Config{
		Config: config, Files: beside, Args: []string{"-f", "agents.cfg"},
		Env: []string{"IPREP_ORIGIN=" + site, "IPREP_AGENT=" + faraway(t)(agent.Addr)},
	})
}

// ssoConfig lets each visitor of the tests' site in, but for probes.
const ssoConfig = "sites: [{hosts: [site.example], rules: [{paths: [/.env], do: deny}, {do: allow}]}]\n"

// runSSO runs examples/sso. Its frontend has no TLS here, which the requests would not
// notice.
func runSSO(t *testing.T, bin haproxytest.Binary, e *example, site string) *haproxytest.HAProxy {
	dir := filepath.Join(recipes.Root(t), "examples/sso")
	settings := filepath.Join(t.TempDir(), "agent.yaml")
	require.NoError(t, os.WriteFile(settings, []byte(ssoConfig), 0o600))
	agent := recipes.StartProgram(t, recipes.Module(t, "examples/sso"), ready,
		"-config", settings, "-listen", "127.0.0.1:0", "-pages-listen", "127.0.0.1:0", "-admin-listen", "off")
	beside := map[string]string{"spoe.conf": recipes.ReadFile(t, filepath.Join(dir, "spoe.conf")), "agents.cfg": recipes.ReadFile(t, filepath.Join(dir, "agents.cfg"))}
	config := haproxytest.ReadConfig(t, filepath.Join(dir, "haproxy.cfg"),
		`"${SSO_FRONTEND}" ssl crt "${SSO_CERT}" alpn h2,http/1.1`, `{{addr "http"}}`)
	config = e.change(config, beside)
	return haproxytest.Start(t, bin, haproxytest.Config{
		Config: config, Files: beside, Args: []string{"-f", "agents.cfg"},
		Env: []string{"SSO_WIKI=" + site, "SSO_SHOP=" + site, "SSO_AGENT=" + faraway(t)(agent.Addr)},
	})
}

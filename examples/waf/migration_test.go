package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/service/servicetest"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

// TestMigration: docs/migration.md says that the program finds what is left of coraza-spoa's
// configuration.
func TestMigration(t *testing.T) {
	dir := t.TempDir()
	servicetest.WriteFile(t, dir+"/agent.yaml", `
bind: 127.0.0.1:9000
log_level: info
log_file: /dev/stdout
log_format: console
default_application: shop
applications:
  - name: shop
    response_check: true
    transaction_ttl_ms: 60000
`)
	status, _, errOut := servicetest.Once(t, agent(), nil, "-t", "-config", dir+"/agent.yaml")
	assert.NotZero(t, status)
	for _, key := range []string{"bind", "log_level", "log_file", "log_format", "default_application", "response_check", "transaction_ttl_ms"} {
		assert.Contains(t, errOut, key+": is unknown")
	}
	old := shipped(t, "127.0.0.1:9000", "127.0.0.1:8081", "if { var(txn.waf.action) -m str drop }", "if { var(txn.coraza.action) -m str drop }")
	for name, text := range old.Files {
		servicetest.WriteFile(t, dir+"/"+name, text)
	}
	servicetest.WriteFile(t, dir+"/haproxy.cfg", old.Config)
	status, out, errOut := servicetest.Once(t, agent(), nil, "-check-config", dir+"/agents.cfg,"+dir+"/haproxy.cfg")
	assert.NotZero(t, status)
	assert.Contains(t, out+errOut, "the variable txn.coraza.action is read, but never set")
}

// TestTwoFilters: another engine can ask its own agent in the same frontend.
func TestTwoFilters(t *testing.T) {
	const filter, send = "    filter spoe engine waf config spoe.conf\n", "    http-request send-spoe-group waf request unless watched\n"
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		a := startAgent(t, settings)
		cfg := shipped(t, a.Addr(t), startOrigin(t), filter, filter+"    filter spoe engine other config other.conf\n", send, "    http-request send-spoe-group other request\n"+send)
		cfg.Files["other.conf"] = haproxytest.ReadConfig(t, "spoe.conf", "[waf]", "[other]", "spoe-agent waf\n", "spoe-agent other\n", "option var-prefix waf", "option var-prefix other",
			"timeout processing 2s", "timeout processing 20s")
		h := haproxytest.Start(t, bin, cfg)
		waitUp(t, h, 1)
		require.Equal(t, 200, h.Get("/").Status)
		assert.Equal(t, 400, h.Get("/?do=deny").Status)
		assert.Contains(t, h.WaitLog("do=deny"), "action=deny rule=1")
		a.Scrape(t, `waf_rule_hits_total{waf_application="rest",waf_rule="1"} 2`)
	})
}

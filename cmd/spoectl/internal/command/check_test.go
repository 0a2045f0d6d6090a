package command_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// shopRoutes are the routes that an agent's -print-routes wrote.
const shopRoutes = `{"messages": [{
	"name": "ip-rep",
	"args": [{"name": "ip", "types": ["IPV4", "IPV6", "STRING", "BINARY"], "required": true, "fetch": "src"}],
	"vars": [{"scope": "sess", "name": "ip_score", "types": ["INT64"], "always": true}],
	"deadline": "100ms", "site": "main.go:10"
}]}`

const shopConfig = `
frontend www
    bind 127.0.0.1:8080
    filter spoe engine shop config spoe.conf
    http-request deny if { var(sess.shop.ip_score) -m int lt 30 } || { var(txn.shop.error) -m found }

backend shop-agents
    option spop-check
    server agent1 127.0.0.1:9000 check
`

const shopSPOE = `
[shop]
spoe-agent shop
    use-backend shop-agents
    messages ip-rep
    option set-on-error error
    timeout processing 500ms

spoe-message ip-rep
    args ip=src
    event on-client-session
`

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	routes, cfg := write("routes.json", shopRoutes), write("haproxy.cfg", shopConfig)
	write("spoe.conf", shopSPOE)

	r := run(t, "check", cfg, "--routes", routes)
	assert.Equal(t, result{0, "no findings\n", ""}, r)
	r = runWith(t.Context(), strings.NewReader(shopRoutes), "check", cfg, "--routes", "-", "--json")
	assert.Equal(t, result{0, "[]\n", ""}, r)

	bad := write("bad.conf", strings.NewReplacer("args ip=src", "args addr=src", "500ms", "50ms").Replace(shopSPOE))
	r = run(t, "check", cfg, "--routes", routes, "--spoe", bad, "--engine", "shop", "--for", "3.2")
	assert.Equal(t, 1, r.status)
	assert.Empty(t, r.err)
	golden(t, "check", r.out, dir, "DIR")
	r = run(t, "check", cfg, "--routes", routes, "--spoe", bad, "--json")
	assert.Equal(t, 1, r.status)
	assert.True(t, json.Valid([]byte(r.out)))
	golden(t, "check-json", r.out, dir, "DIR")
}

package main

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/service/servicetest"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// TestBadRuleFiles: the old rules stay if something else takes the place of a rule file.
func TestBadRuleFiles(t *testing.T) {
	const good = "SecRuleEngine On\nSecRule REQUEST_URI \"@contains evil\" \"id:1,phase:1,deny\"\n"
	rules := filepath.Join(t.TempDir(), "shop.conf")
	servicetest.WriteFile(t, rules, good)
	a := startAgent(t, "applications: [{name: shop, files: ["+rules+"]}]")
	client, err := spoetest.Dial(t.Context(), "tcp", a.Addr(t))
	require.NoError(t, err)
	defer client.Close()
	for _, tt := range []struct {
		name    string
		replace func() error
	}{
		{"no file", func() error { return nil }},
		{"a directory", func() error { return os.Mkdir(rules, 0o700) }},
		{"a link to itself", func() error { return os.Symlink(rules, rules) }},
		{"an empty file", func() error { return os.WriteFile(rules, nil, 0o600) }},
		{"comments alone", func() error { return os.WriteFile(rules, []byte("# rules\n\n"), 0o600) }},
		{"a binary", func() error { return os.WriteFile(rules, []byte("\x7fELF\x02\x01\x01\x00\x00\n\x00\xff\xfe"), 0o600) }},
		{"a part of a line", func() error { return os.WriteFile(rules, []byte(good[:len(good)-8]), 0o600) }},
		{"an open continuation", func() error { return os.WriteFile(rules, []byte(good+"SecRule ARGS \\\n"), 0o600) }},
		{"a line that is too long", func() error {
			return os.WriteFile(rules, []byte("SecRuleEngine On\nSecAction id:2,phase:1,pass\n# "+strings.Repeat("x", 64<<10)+"\n"+good), 0o600)
		}},
		{"a file that includes itself", func() error { return os.WriteFile(rules, []byte("Include "+rules+"\n"), 0o600) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.NoError(t, os.RemoveAll(rules))
			require.NoError(t, tt.replace())
			before := strings.Count(a.Log.String(), "not reloaded")
			a.Reload <- nil
			require.Eventually(t, func() bool { return strings.Count(a.Log.String(), "not reloaded") > before }, servicetest.Patience, 1e6)
			vars, err := client.Ask(t.Context(), "waf-request", request("/evil")...)
			require.NoError(t, err)
			assert.Equal(t, "deny", vars.Str("txn.action"))
		})
	}
	require.NoError(t, os.RemoveAll(rules))
	servicetest.WriteFile(t, rules, strings.Replace(good, "evil", "bad", 1))
	a.Reload <- nil
	a.Log.Wait(t, `msg="configuration reloaded"`)
	vars, err := client.Ask(t.Context(), "waf-request", request("/bad")...)
	require.NoError(t, err)
	assert.Equal(t, "deny", vars.Str("txn.action"))
}

// TestManyReloads: requests keep their verdicts while a thousand signals come. Four rule sets
// that are replaced, and perhaps in use, may be in memory; then a reload waits.
func TestManyReloads(t *testing.T) {
	a := startAgent(t, settings)
	done := make(chan struct{})
	var clients sync.WaitGroup
	for range 4 {
		client, err := spoetest.Dial(t.Context(), "tcp", a.Addr(t))
		require.NoError(t, err)
		defer client.Close()
		clients.Go(func() { // ends with done
			for {
				vars, err := client.Ask(t.Context(), "waf-request", request("/?do=deny")...)
				if !assert.NoError(t, err) || !assert.Equal(t, "deny", vars.Str("txn.action")) {
					return
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for range 1000 {
		a.Reload <- nil
	}
	close(done)
	clients.Wait()
	a.Log.Wait(t, `the configuration is reloaded later`)
	a.Scrape(t, `spoke_config_reloads_total{spoke_config_result="success"} 4`)
	assert.Equal(t, 1, strings.Count(a.Log.String(), "reloaded later"))
}

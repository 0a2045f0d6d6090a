package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/service/servicetest"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// request are the arguments of a message about a GET.
func request(url string) []spoetest.Argument {
	return []spoetest.Argument{
		spoetest.Arg("method", "GET"), spoetest.Arg("url", url), spoetest.Arg("version", "1.1"),
		spoetest.Arg("headers", codec.Binary([]byte("\x04host\x01x\x00\x00"))), spoetest.Arg("body_ended", true),
	}
}

// TestMetricsOfDeployment: each metric of the alert rules and of the dashboard is one
// that the program has.
func TestMetricsOfDeployment(t *testing.T) {
	a := startAgent(t, "applications: [{name: a, responses: true, directives: 'SecRuleEngine On\n\nSecRule REQUEST_URI \"@contains evil\" \"id:1,phase:1,deny,log\"'}]",
		"-concurrency", "1")
	client, err := spoetest.Dial(t.Context(), "tcp", a.Addr(t))
	require.NoError(t, err)
	defer client.Close()
	vars, err := client.Ask(t.Context(), "waf-request", request("/evil")...)
	require.NoError(t, err)
	assert.Equal(t, "deny", vars.Str("txn.action"))
	vars, err = client.Ask(t.Context(), "waf-request", request("/good")...)
	require.NoError(t, err)
	assert.False(t, vars.Has("txn.action"))
	assert.NotEmpty(t, vars.Str("txn.tx"))
	vars, err = client.Ask(t.Context(), "waf-response", spoetest.Arg("tx", "unknown"), spoetest.Arg("headers", codec.Binary([]byte{0, 0})))
	require.NoError(t, err)
	assert.Empty(t, vars)
	text := a.Scrape(t, `spop_pair_waiting{spop_pair_name="transactions"} 1`)
	assert.Regexp(t, `(?m)^waf_rule_hits_total\{.*waf_application="a",waf_rule="1"\} 1$`, text)
	servicetest.CheckMetrics(t, text, "waf_", []string{"deploy/alerts.yaml", "deploy/grafana.json"},
		"waf_application", "waf_rule", "spop_pair_outcome", "spop_server_dropped_messages_total")
}

// TestSettingsOfDeployment: the settings that are shipped are good.
func TestSettingsOfDeployment(t *testing.T) {
	status, _, stderr := servicetest.Once(t, agent(), nil, "-t", "-config", "deploy/agent.yaml")
	assert.Zero(t, status, stderr)
}

func TestUnitIsHardened(t *testing.T) { servicetest.CheckUnit(t, "deploy/waf.service") }

// TestSettings: the program reports mistakes with their places.
func TestSettings(t *testing.T) {
	for _, tt := range []struct{ name, settings, want string }{
		{"no application", "applications: []", "applications: is empty"},
		{"no name", "applications: [{}]", "applications[0].name: is empty"},
		{"two of a name", "applications: [{name: a, hosts: [x]}, {name: a, hosts: [y]}]", `applications[1].name: "a" is there twice`},
		{"two for a host", "applications: [{name: a, hosts: [x]}, {name: b, hosts: [x]}]", `applications[1].hosts: "x" is there twice`},
		{"a host with a port", "applications: [{name: a, hosts: ['x:8443']}]", `applications[0].hosts: "x:8443" is no host name`},
		{"a pattern of hosts", "applications: [{name: a, hosts: ['x*']}]", `applications[0].hosts: "x*" is no host name`},
		{"an empty host", "applications: [{name: a, hosts: ['']}]", `applications[0].hosts: "" is no host name`},
		{"a host in capitals", "applications: [{name: a, hosts: [X]}]", `applications[0].hosts: "X" is no host name in lower case`},
		{"two for the rest", "applications: [{name: a}, {name: b}]", `applications[1].hosts: is empty, as for the application a`},
		{"cut-body", "applications: [{name: a, cut-body: maybe}]", "cut-body"},
		{"rules", "applications: [{name: a, directives: 'SecRuleEngine On\n\n\nSecFoo x'}]", `application a: directives, line 3: `},
		{"no rule", "applications: [{name: a, directives: 'SecRuleEngine On'}]", `application a: there is no rule`},
		{"no file", "applications: [{name: a, files: ['/no/such/*.conf']}]", `application a: there is no rule`},
		{"an included file", "applications: [{name: a, directives: 'Include /no/such/file'}]", `application a: directives, line 1: `},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := t.TempDir() + "/agent.yaml"
			servicetest.WriteFile(t, file, tt.settings)
			status, _, stderr := servicetest.Once(t, agent(), nil, "-t", "-config", file)
			assert.NotZero(t, status)
			assert.Contains(t, stderr, tt.want)
		})
	}
}

package e2e_test

import (
	"strings"
	"testing"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/require"
)

// spoeConf is a spoe.conf with the engine e2e, whose variables begin with e2e
// too. lines are added to its agent's section and may overrule what is there,
// messages are the sections that follow.
func spoeConf(lines, messages string) string {
	return `
[e2e]
spoe-agent e2e-agent
    log global
    option var-prefix e2e
    option set-on-error error
    option set-process-time took
    timeout hello 5s
    timeout idle 1m
    timeout processing 5s
    use-backend agents
` + lines + "\n" + messages + "\n"
}

// startHAProxy is haproxytest.Start with a tap before each agent, where $SPOKE_TAP asks for
// taps. A test that renews the configuration later calls tapped itself.
func startHAProxy(t *testing.T, bin haproxytest.Binary, cfg haproxytest.Config) *haproxytest.HAProxy {
	t.Helper()
	return haproxytest.Start(t, bin, tapped(t, cfg))
}

// setup starts a HAProxy with SimpleConfig, spoe.conf and rules.
func setup(t *testing.T, bin haproxytest.Binary, agent, spoeConf, rules string) *haproxytest.HAProxy {
	t.Helper()
	return startHAProxy(t, bin, haproxytest.Config{
		Agent: agent,
		Files: map[string]string{"spoe.conf": spoeConf},
		Rules: rules,
	})
}

// serverStates are the states of the servers of backend agents, by their names:
// "0" is down, "2" is up.
func serverStates(t *testing.T, h *haproxytest.HAProxy) map[string]string {
	t.Helper()
	states := map[string]string{}
	for line := range strings.Lines(h.Command("show servers state agents")) {
		// be_id be_name srv_id srv_name srv_addr srv_op_state …
		if f := strings.Fields(line); len(f) > 5 && f[1] == "agents" {
			states[f[3]] = f[5]
		}
	}
	require.NotEmpty(t, states)
	return states
}

// loaded is a configuration for a load: it answers requests itself and logs only requests
// that SPOE failed. Data is a loadedData.
const loaded = `
global
    log stdout format raw local0
{{- with .Data.Threads}}
    nbthread {{.}}
{{- end}}

{{defaults "http"}}
    timeout check 5s

frontend http
    bind {{addr "http"}}
    filter spoe engine e2e config spoe.conf` + decided + `

backend agents
    mode {{if .HAProxy.AtLeast "3.1"}}spop{{else}}tcp{{end}}
    balance roundrobin
    option redispatch 1
{{- if .Data.Checks}}
    option spop-check
    default-server check inter 100ms fall 2 rise 1
{{- end}}
{{- range $name, $addr := .Data.Agents}}
    server {{$name}} {{$addr}}{{with index $.Data.AgentChecks $name}} agent-check agent-inter 100ms agent-port {{.}}{{end}}
{{- end}}
`

// quietly has SPOE log only what fails.
const quietly = "option dontlog-normal\n"

type loadedData struct {
	Checks      bool              // health checks
	Agents      map[string]string // addresses by name
	AgentChecks map[string]string // ports of agent-check by name, where there are any
	Threads     int               // HAProxy's, or 0 for its default
}

package haproxy_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/haproxy"
)

// everything is an agent and a configuration in which each text is set.
func everything() (haproxy.Agent, haproxy.Config) {
	a := haproxy.Agent{FailureVar: "txn.failed", Messages: []haproxy.Message{{
		Name: "m", Engine: "other", Event: "on-frontend-http-request", Condition: "if { path_beg /a }", Group: "g", Site: "main.go:1",
		Args: []haproxy.Arg{{Name: "ip", Fetch: "src", Types: []string{"IPV4"}, Field: "IP", Group: "Client", Go: "netip.Addr"}},
		Vars: []haproxy.Var{{Scope: "txn", Name: "score", Types: []string{"INT32"}, Always: true}},
	}, {
		Name: "n", Event: "on-http-response", Args: []haproxy.Arg{{Name: "status", Fetch: "status"}},
		Vars: []haproxy.Var{{Scope: "txn", Name: "seen", Always: true}},
	}}}
	return a, haproxy.Config{
		Engine: "guard", Prefix: "guard", Backend: "agents", Agents: []string{"127.0.0.1:9000"}, ServerOptions: "weight 1",
		SPOEFile: "spoe.conf", Version: "3.2", Engines: map[string]haproxy.Engine{"other": {Prefix: "other"}}, Affinity: "score",
		AgentCheckPort: 9001, Headers: map[string]string{"X-Score": "score"}, Rules: []string{"http-request deny"},
		Pages: &haproxy.Pages{Servers: []string{"127.0.0.1:9080"}, If: "{ path /p }", Backend: "pages", ServerOptions: "weight 1", Check: "/up"},
	}
}

// texts calls fn for each text in v, with a function that sets it.
func texts(name string, v reflect.Value, fn func(name string, set func(string))) {
	switch v.Kind() {
	case reflect.String:
		fn(name, v.SetString)
	case reflect.Pointer:
		if !v.IsNil() {
			texts(name, v.Elem(), fn)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.Tag.Get("json") != "-" { // Write sets it
				texts(name+"."+f.Name, v.Field(i), fn)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			texts(name, v.Index(i), fn)
		}
	case reflect.Map: // of one entry
		key, value := v.MapKeys()[0], reflect.New(v.Type().Elem()).Elem()
		value.Set(v.MapIndex(key))
		texts(name, value, func(name string, set func(string)) {
			fn(name, func(s string) {
				set(s)
				v.SetMapIndex(key, value)
			})
		})
		fn(name+" key", func(s string) {
			v.SetMapIndex(key, reflect.Value{})
			v.SetMapIndex(reflect.ValueOf(s), value)
		})
	}
}

// TestNoTextEndsItsLine: no text of an agent or of Config becomes a line of its own, and
// no character of one makes HAProxy read the line in another way.
func TestNoTextEndsItsLine(t *testing.T) {
	visit := func(change func(i int, name string, set func(string))) (haproxy.Agent, haproxy.Config) {
		a, c := everything()
		i := 0
		texts("Agent", reflect.ValueOf(&a), func(name string, set func(string)) { change(i, name, set); i++ })
		texts("Config", reflect.ValueOf(&c), func(name string, set func(string)) { change(i, name, set); i++ })
		return a, c
	}
	lines := func(f haproxy.Files) int {
		all := 0
		for line := range strings.Lines(f.SPOE + f.Backend + f.Frontend + f.Site) {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
				all++
			}
		}
		return all
	}
	whole, err := haproxy.Write(everything())
	require.NoError(t, err)
	var names []string
	visit(func(_ int, name string, _ func(string)) { names = append(names, name) })
	require.Greater(t, len(names), 30)
	for i, name := range names {
		for _, end := range []string{"\n", "\r", "\r\n", "\x00", "\v", "\x7f"} {
			a, c := visit(func(n int, _ string, set func(string)) {
				if n == i {
					set("a" + end + "b")
				}
			})
			f, err := haproxy.Write(a, c)
			if err != nil {
				assert.NotContains(t, err.Error(), end+"b", "%s: the error", name)
				continue
			}
			assert.Equal(t, lines(whole), lines(f), "%s with %q", name, end)
			assert.NotContains(t, f.SPOE+f.Backend+f.Frontend+f.Site, "a"+end+"b", "%s", name)
		}
	}
}

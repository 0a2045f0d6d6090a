package haproxy_test

import (
	"bytes"
	"context"
	"flag"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/haproxy"
	finding "github.com/spoke-go/spoke/haproxy/internal/check"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

// checkSpecimen checks a specimen's files with changes, for routes and a version.
func checkSpecimen(t *testing.T, name string, a haproxy.Agent, s haproxy.Sources, oldnew ...string) []haproxy.Finding {
	t.Helper()
	files := map[string]string{}
	used := ""
	for _, f := range []string{"common.cfg", name + "/haproxy.cfg", name + "/spoe.conf"} {
		text := haproxytest.ReadConfig(t, "testdata/specimens/"+f)
		used += text
		files[filepath.Base(f)] = strings.NewReplacer(oldnew...).Replace(text)
	}
	for i := 0; i < len(oldnew); i += 2 {
		require.Contains(t, used, oldnew[i])
	}
	dir := put(t, files)
	s.Configs = []string{filepath.Join(dir, "common.cfg"), filepath.Join(dir, "haproxy.cfg")}
	found, err := haproxy.Check(a, s)
	require.NoError(t, err)
	return found
}

// TestCheckVersions: findings that depend on HAProxy's version.
func TestCheckVersions(t *testing.T) {
	for _, tt := range []struct {
		name, specimen, version string
		want                    []string
	}{
		{"events and groups before 2.5", "event-beside-group", "2.4", []string{finding.AsksForEver}},
		{"events and groups from 2.6 on", "event-beside-group", "2.6", []string{}},
		{"events and groups of any version", "event-beside-group", "", []string{}},
		{"timeout idle up to 3.0", "idle-too-short", "3.0", []string{finding.TimeoutTooShort}},
		{"timeout idle from 3.1 on", "idle-too-short", "3.2", []string{}},
		{"timeout hello up to 3.0", "hello-without-unit", "2.6", []string{finding.TimeoutTooShort}},
		{"timeout hello from 3.1 on", "hello-without-unit", "3.1", []string{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := specimen{filepath.Join("testdata/specimens", tt.specimen)}
			assert.Equal(t, tt.want, codes(checkSpecimen(t, tt.specimen, s.routes(t), haproxy.Sources{Version: tt.version})))
		})
	}
}

// claims are variables whose names are known only at run time.
type claims struct {
	Known  bool              `spoe:"verdict"`
	Claims map[string]string `spoe:"claim_*"`
}

// TestCheckPattern: variables of a pattern are known by their beginning.
func TestCheckPattern(t *testing.T) {
	r := router.New()
	r.Handle("judge", func(context.Context, struct {
		Path string `spoe:"path" fetch:"path"`
	}) (claims, error) {
		return claims{}, nil
	}).Event(router.OnFrontendHTTPRequest)
	a := haproxy.Describe(r)
	reads := func(name string) []string {
		return codes(checkSpecimen(t, "error-with-prefix", a, haproxy.Sources{}, "args path=path slow=bool(1)", "args path=path",
			"frontend www\n", "frontend www\n    http-request set-header X-Sub %[var(txn.guard."+name+")]\n"))
	}
	assert.Equal(t, []string{}, reads("claim_sub"))
	assert.Equal(t, []string{finding.VariableNeverSet, finding.VariableUnknown}, reads("claims_sub"))
	f := write(t, r, haproxy.Config{Engine: "guard"})
	assert.Contains(t, f.SPOE, "sets txn.guard.claim_*")
	assert.Contains(t, f.SPOE, "register-var-names verdict\n")
}

// TestCheckEngine: a route names its engine, and another one sends its message.
func TestCheckEngine(t *testing.T) {
	s := specimen{"testdata/specimens/several-engines-one-agent"}
	a := s.routes(t)
	a.Messages[0].Engine, a.Messages[1].Engine = "guard", "late"
	assert.Empty(t, checkSpecimen(t, filepath.Base(s.dir), a, haproxy.Sources{Engine: "guard"}))
	a.Messages[0].Engine, a.Messages[1].Engine = a.Messages[1].Engine, a.Messages[0].Engine
	assert.Equal(t, []string{finding.EngineDiffers, finding.EngineDiffers}, codes(checkSpecimen(t, filepath.Base(s.dir), a, haproxy.Sources{Engine: "guard"})))
}

// TestFlagsCheckTLS: the options of the server lines say whether the agent speaks TLS.
func TestFlagsCheckTLS(t *testing.T) {
	f := write(t, guard(), haproxy.Config{Engine: "guard", FailClosed: true})
	dir := put(t, map[string]string{"haproxy.cfg": "frontend www\n" + f.Frontend, "agents.cfg": f.Backend, "spoe.conf": f.SPOE})
	check := func(options string) string {
		fs := flag.NewFlagSet("guard", flag.ContinueOnError)
		flags := haproxy.AddFlags(fs)
		require.NoError(t, fs.Parse([]string{"-check-config", filepath.Join(dir, "agents.cfg") + "," + filepath.Join(dir, "haproxy.cfg")}))
		var out bytes.Buffer
		_, err := flags.Run(&out, guard(), haproxy.Config{Engine: "guard", ServerOptions: options})
		if out.Len() > 0 {
			require.ErrorIs(t, err, haproxy.ErrFindings)
		}
		return out.String()
	}
	assert.Empty(t, check(""))
	assert.Empty(t, check("maxconn 100"))
	assert.Contains(t, check("ssl verify none"), `has no "ssl", and the agent speaks only TLS`)
}

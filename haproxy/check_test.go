package haproxy_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/haproxy"
	finding "github.com/spoke-go/spoke/haproxy/internal/check"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
)

// shop is the agent of testdata/good and testdata/broken.
func shop() *router.Router {
	r := router.New()
	r.ErrorVar(spoe.VarScopeTransaction, "failed")
	r.Use(within(100 * time.Millisecond))
	r.Handle("ip-rep", func(context.Context, struct {
		IP     netip.Addr `spoe:"ip,required" fetch:"src"`
		Port   uint16     `spoe:"port"`
		Tenant string     `spoe:"tenant"`
	}) (out struct {
		Score int `spoe:"ip_score,sess"`
	}, err error) {
		return out, nil
	})

	r.Handle("scan", func(context.Context, struct {
		Path   string `spoe:",pos=0,required" fetch:"url"`
		Method string `spoe:"method"`
		Body   []byte `spoe:"body"`
		Secure bool   `spoe:"secure"`
	}) (out struct {
		Verdict string `spoe:"verdict"`
		Host    string `spoe:"last_host,proc"`
	}, err error) {
		return out, nil
	}).
		Buffer(32 << 10)
	r.Observe("count", func(context.Context, struct {
		Status int `spoe:"status,required"`
	}) error {
		return nil
	})

	return r
}

// routes are the shop's, as they come through JSON, without the places of this
// machine.
func routes(t *testing.T) haproxy.Agent {
	t.Helper()
	a := haproxy.Describe(shop())
	for i := range a.Messages {
		a.Messages[i].Site = "main.go:10"
	}
	var b bytes.Buffer
	require.NoError(t, a.WriteRoutes(&b))
	read, err := haproxy.ReadRoutes(&b)
	require.NoError(t, err)
	assert.Equal(t, a, read)
	return read
}

func check(t *testing.T, dir string) []haproxy.Finding {
	t.Helper()
	found, err := haproxy.Check(routes(t), haproxy.Sources{Configs: []string{filepath.Join(dir, "haproxy.cfg")}})
	require.NoError(t, err, dir)
	return found
}

func TestCheckGood(t *testing.T) {
	assert.Empty(t, check(t, "testdata/good"))
}

// TestCheckBroken: each folder has one fault, which its name begins with.
func TestCheckBroken(t *testing.T) {
	dirs, err := filepath.Glob("testdata/broken/*")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(dirs), 20)
	codes := map[string]bool{}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			found := check(t, dir)
			require.Len(t, found, 1, "%v", found)
			codes[found[0].Code] = true
			assert.True(t, strings.HasPrefix(filepath.Base(dir), found[0].Code) || found[0].Code == finding.EventAndGroup, found[0].Code)
			golden(t, strings.TrimPrefix(dir, "testdata/")+"/want.txt", found[0].Text()+"\n")
		})
	}
	for _, code := range []string{
		finding.MessageUnhandled, finding.MessageUncalled, finding.EventAndGroup, finding.ArgumentMissing,
		finding.ArgumentUnknown, finding.ArgumentType, finding.VariableUnknown, finding.VariableNeverSet,
		finding.VariableTooLong, finding.VariableSetLater, finding.VariableReadEarly, finding.DeadlineTooLong, finding.NoProcessingTimeout,
		finding.BodyNotBuffered, finding.BufferTooSmall, finding.NoHealthCheck, finding.NoSetOnError,
	} {
		assert.True(t, codes[code], "no folder has a fault %s", code)
	}
}

// TestHAProxyTakesBroken: these are faults that HAProxy does not refuse, and hardly
// ever warns of: people find them when requests come.
func TestHAProxyTakesBroken(t *testing.T) {
	dirs, err := filepath.Glob("testdata/broken/*")
	require.NoError(t, err)
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		for _, dir := range append(dirs, "testdata/good") {
			cfg := haproxytest.Config{
				Config: haproxytest.ReadConfig(t, filepath.Join(dir, "haproxy.cfg")),
				Files:  map[string]string{"spoe.conf": haproxytest.ReadConfig(t, filepath.Join(dir, "spoe.conf"))},
			}
			warnings, err := haproxytest.Check(t, bin, cfg)
			assert.NoError(t, err, dir)
			if warnings != "" {
				assert.Contains(t, []string{"message-uncalled-no-event", "no-processing-timeout"}, filepath.Base(dir), warnings)
			}
		}
	})
}

func TestFindingJSON(t *testing.T) {
	b, err := json.Marshal(haproxy.Finding{Code: "c", File: "f", Line: 1, Problem: "p", Effect: "e", Fix: "m"})
	require.NoError(t, err)
	assert.JSONEq(t, `{"code":"c","file":"f","line":1,"problem":"p","effect":"e","fix":"m"}`, string(b))
}

// put writes files into a folder.
func put(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	return dir
}

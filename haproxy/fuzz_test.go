package haproxy_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/haproxy"
)

// FuzzCheck: any files and routes give an error or findings, the same each time.
func FuzzCheck(f *testing.F) {
	var routes strings.Builder
	require.NoError(f, haproxy.Describe(shop()).WriteRoutes(&routes))
	for _, dir := range []string{"testdata/good", "testdata/example", "testdata/broken/message-uncalled-no-rule", "testdata/broken/variable-set-later-rule"} {
		cfg, err := os.ReadFile(filepath.Join(dir, "haproxy.cfg"))
		require.NoError(f, err)
		spoe, err := os.ReadFile(filepath.Join(dir, "spoe.conf"))
		require.NoError(f, err)
		f.Add(string(cfg), string(spoe), routes.String())
	}
	f.Add("frontend x\nfilter spoe config spoe.conf\n", "spoe-agent\nmessages m\nspoe-message m\nargs =\nevent\n", `{"messages":[{"name":"m","args":[{"fetch":"src","required":true}]}]}`)
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, cfg, spoe, routes string) {
		a, err := haproxy.ReadRoutes(strings.NewReader(routes))
		if err != nil {
			a = haproxy.Describe(shop())
		}
		main := filepath.Join(dir, "haproxy.cfg")
		require.NoError(t, os.WriteFile(main, []byte(cfg), 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "spoe.conf"), []byte(spoe), 0o600))
		s := haproxy.Sources{Configs: []string{main}, SPOE: filepath.Join(dir, "spoe.conf")}
		found, err := haproxy.Check(a, s)
		again, errAgain := haproxy.Check(a, s)
		assert.Equal(t, found, again)
		assert.Equal(t, err, errAgain)
		for _, x := range found {
			assert.NotContains(t, []string{x.File, x.Code, x.Problem, x.Effect, x.Fix}, "")
			assert.Positive(t, x.Line, x.Text())
		}
		// Nor does writing do anything but refuse, or write the same twice.
		if files, err := haproxy.Write(a, haproxy.Config{Engine: "shop"}); err == nil {
			same, err := haproxy.Write(a, haproxy.Config{Engine: "shop"})
			require.NoError(t, err)
			assert.Equal(t, files, same)
		}
	})
}

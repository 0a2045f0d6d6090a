//go:build unix

package recipes

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/require"
)

// Recipe is a folder of examples/cookbook: programs, and HAProxy's configuration.
type Recipe struct {
	Dir      string
	Config   string // its haproxy.cfg
	Since    string // the first HAProxy that takes it; empty for all
	Programs []Program
}

// Program is one agent of a recipe, with the files that it wrote for HAProxy.
type Program struct {
	Folder        string // in examples/cookbook
	SPOE, Backend string // files in the recipe's folder
	Addrs         []string
}

// All are the recipes by the path of their haproxy.cfg in examples/cookbook.
func All() map[string]Recipe {
	all := map[string]Recipe{}
	for _, dir := range []string{"start", "reputation", "auth", "rate-limit", "response-headers", "body", "response-body", "groups", "sni", "tls"} {
		alone := []Program{{dir, "spoe.conf", "agents.cfg", []string{"127.0.0.1:9000"}}}
		all[dir+"/haproxy.cfg"] = Recipe{Dir: dir, Config: "haproxy.cfg", Programs: alone}
	}
	add := func(dir, config, since string, programs ...Program) {
		all[dir+"/"+config] = Recipe{dir, config, since, programs}
	}
	add("response-headers", "haproxy-3.4.cfg", "3.4", all["response-headers/haproxy.cfg"].Programs...)
	failing := Program{"failing", "spoe.conf", "agents.cfg", []string{"127.0.0.1:9000"}}
	add("failing", "haproxy-open.cfg", "", failing)
	add("failing", "haproxy-closed.cfg", "", failing)
	add("several", "haproxy.cfg", "",
		Program{"several/geo", "geo.conf", "geo.cfg", []string{"127.0.0.1:9000", "127.0.0.1:9001"}},
		Program{"several/bots", "bots.conf", "bots.cfg", []string{"127.0.0.1:9010"}})
	add("kubernetes", "haproxy.cfg", "", Program{"kubernetes", "spoe.conf", "agents.cfg", nil})
	return all
}

// Path returns the path of a file of the recipe.
func (r Recipe) Path(t *testing.T, file string) string {
	return filepath.Join(Root(t), "examples/cookbook", r.Dir, file)
}

// Files are the contents of haproxy.cfg and of the files beside it.
func (r Recipe) Files(t *testing.T) (config string, beside map[string]string) {
	t.Helper()
	beside = map[string]string{}
	for _, p := range r.Programs {
		for _, file := range []string{p.SPOE, p.Backend} {
			beside[file] = ReadFile(t, r.Path(t, file))
		}
	}
	return ReadFile(t, r.Path(t, r.Config)), beside
}

// Args are the arguments of HAProxy before those for haproxy.cfg.
func (r Recipe) Args() (args []string) {
	for _, p := range r.Programs {
		args = append(args, "-f", p.Backend)
	}
	return args
}

// Takes reports whether the recipe is for that HAProxy; where it is not, the test's
// log says so.
func (r Recipe) Takes(t *testing.T, bin haproxytest.Binary) bool {
	if r.Since == "" || bin.AtLeast(r.Since) {
		return true
	}
	t.Logf("NOT TESTED with %v: %s/%s is for HAProxy %s and later", bin, r.Dir, r.Config, r.Since)
	return false
}

// ReadFile returns the content of a file.
func ReadFile(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(b)
}

// Root is the folder of the repository.
func Root(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		if _, err := os.Stat(filepath.Join(dir, "examples", "cookbook")); err == nil {
			return dir
		}
		require.NotEqual(t, "/", dir, "no folder above has examples/cookbook")
		dir = filepath.Dir(dir)
	}
}

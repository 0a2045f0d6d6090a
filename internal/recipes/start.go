//go:build unix

package recipes

import (
	"slices"
	"strings"
	"testing"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/require"
)

// Setup describes the run of a recipe in a test.
type Setup struct {
	Site  string            // the address of the site behind HAProxy
	Args  []string          // of each program
	Files map[string]string // more files beside haproxy.cfg
	Edits []string          // pairs of old and new text in HAProxy's files
	Env   []string          // of HAProxy
	None  bool              // there is no agent at all
	// Before puts something before an agent, and returns its address.
	Before func(agent string) string
	// Change is the last to change haproxy.cfg and the files beside it.
	Change func(config string, beside map[string]string) string
}

// Running is a recipe that runs: HAProxy, and its agents by the address that the
// files have for them.
type Running struct {
	*haproxytest.HAProxy
	Agents map[string]*Process
}

// Start starts the programs and HAProxy, from the files of the recipe but for the
// addresses and the Edits.
func (r Recipe) Start(t *testing.T, bin haproxytest.Binary, s Setup) Running {
	t.Helper()
	run := Running{Agents: map[string]*Process{}}
	edits := slices.Concat([]string{"127.0.0.1:8080", `{{addr "http"}}`, "127.0.0.1:8081", s.Site}, s.Edits)
	if r.Dir == "kubernetes" {
		edits = s.Edits // it has addresses of its own
	}
	if !s.None {
		for _, p := range r.Programs {
			for _, addr := range p.Addrs {
				a := StartAgent(t, p.Folder, append([]string{"-listen", "127.0.0.1:0"}, s.Args...)...)
				run.Agents[addr] = a
				at := a.Addr
				if s.Before != nil {
					at = s.Before(at)
				}
				edits = append(edits, addr, at)
			}
		}
	}
	config, beside := r.Files(t)
	for pair := range slices.Chunk(edits, 2) {
		found := strings.Contains(config, pair[0])
		config = strings.ReplaceAll(config, pair[0], pair[1])
		for name, text := range beside {
			found = found || strings.Contains(text, pair[0])
			beside[name] = strings.ReplaceAll(text, pair[0], pair[1])
		}
		require.True(t, found, "no file of %s has %q", r.Dir, pair[0])
	}
	for name, text := range s.Files {
		beside[name] = text
	}
	if s.Change != nil {
		config = s.Change(config, beside)
	}
	run.HAProxy = haproxytest.Start(t, bin, haproxytest.Config{Config: config, Files: beside, Args: r.Args(), Env: s.Env})
	return run
}

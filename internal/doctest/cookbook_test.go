//go:build unix && !race

package docs_test

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/require"
)

// A recipe of haproxy.md is a folder of cookbook: programs, and HAProxy's
// configuration. Its tests run both as they are, but for the addresses. Programs
// are processes of their own, so the race detector would have nothing to see.
type recipe struct {
	dir    string
	config string // its haproxy.cfg
	since  string // the first HAProxy that takes it; empty for all
	cooks  []cook
}

// cook is a program of a recipe's, with what it has written for HAProxy.
type cook struct {
	program       string // its folder in cookbook
	spoe, backend string // files in the recipe's folder
	addrs         []string
}

// recipes are all of them, by the path of their haproxy.cfg.
var recipes = map[string]recipe{}

func init() {
	for _, dir := range []string{"start", "reputation", "auth", "rate-limit", "response-headers", "body", "groups", "tls"} {
		alone := []cook{{dir, "spoe.conf", "agents.cfg", []string{"127.0.0.1:9000"}}}
		recipes[dir+"/haproxy.cfg"] = recipe{dir: dir, config: "haproxy.cfg", cooks: alone}
	}
	add := func(dir, config, since string, cooks ...cook) {
		recipes[dir+"/"+config] = recipe{dir, config, since, cooks}
	}
	add("response-headers", "haproxy-3.4.cfg", "3.4", recipes["response-headers/haproxy.cfg"].cooks...)
	failing := cook{"failing", "spoe.conf", "agents.cfg", []string{"127.0.0.1:9000"}}
	add("failing", "haproxy-open.cfg", "", failing)
	add("failing", "haproxy-closed.cfg", "", failing)
	add("several", "haproxy.cfg", "",
		cook{"several/geo", "geo.conf", "geo.cfg", []string{"127.0.0.1:9000", "127.0.0.1:9001"}},
		cook{"several/bots", "bots.conf", "bots.cfg", []string{"127.0.0.1:9010"}})
	add("kubernetes", "haproxy.cfg", "", cook{"kubernetes", "spoe.conf", "agents.cfg", nil})
}

// path is where a file of the recipe's is.
func (r recipe) path(file string) string { return filepath.Join("../examples/cookbook", r.dir, file) }

// files are the contents of haproxy.cfg and of the files beside it.
func (r recipe) files(t *testing.T) (config string, beside map[string]string) {
	t.Helper()
	beside = map[string]string{}
	for _, c := range r.cooks {
		for _, file := range []string{c.spoe, c.backend} {
			beside[file] = readFile(t, r.path(file))
		}
	}
	return readFile(t, r.path(r.config)), beside
}

// args are what HAProxy's command line has before haproxy.cfg.
func (r recipe) args() (args []string) {
	for _, c := range r.cooks {
		args = append(args, "-f", c.backend)
	}
	return args
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(b)
}

// programs are those of all recipes, built once and by one command. They are
// named after their folders.
var programs = sync.OnceValues(func() (dir string, err error) {
	dir, err = os.MkdirTemp("", "cookbook-")
	if err != nil {
		return "", err
	}
	programsDir = dir
	if out, err := exec.Command("go", "build", "-ldflags=-s -w", "-o", dir+"/", "../examples/cookbook/...").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return dir, nil
})

var programsDir string

func TestMain(m *testing.M) {
	flag.Parse()
	parallel := "6" // the tests wait for programs more than they compute
	flag.Visit(func(f *flag.Flag) {
		if f.Name == "test.parallel" {
			parallel = f.Value.String()
		}
	})
	if err := flag.Set("test.parallel", parallel); err != nil {
		panic(err)
	}
	if err := os.Chdir("../../docs"); err != nil { // the pages' links are relative to it
		panic(err)
	}
	code := m.Run()
	if programsDir != "" {
		if err := os.RemoveAll(programsDir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// program is where a program is, by its folder in cookbook.
func program(t *testing.T, name string) string {
	t.Helper()
	dir, err := programs()
	require.NoError(t, err)
	return filepath.Join(dir, filepath.Base(name))
}

// printed runs a program that prints something and ends.
func printed(t *testing.T, name, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command(program(t, name), args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		t.Fatalf("%s %v: %v\n%s%s", name, args, err, out, exit.Stderr)
	}
	require.NoError(t, err)
	return string(out)
}

// kitchen is a recipe that runs: HAProxy, its agents, and a site behind.
type kitchen struct {
	*haproxytest.HAProxy
	t      *testing.T
	agents map[string]*agent // by the address that the files have for it
}

// setup is how a recipe runs in a test.
type setup struct {
	args  []string          // of each program
	files map[string]string // more files beside haproxy.cfg
	edits []string          // pairs of old and new text in HAProxy's files
	env   []string          // of HAProxy
	none  bool              // there is no agent at all
}

// cookAll runs f with a recipe and each HAProxy that takes it, side by side with
// others.
func cookAll(t *testing.T, name string, s setup, f func(k *kitchen)) {
	r, ok := recipes[name]
	require.True(t, ok, name)
	t.Parallel()
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		if !r.takes(t, bin) {
			return
		}
		t.Parallel()
		f(r.start(t, bin, s))
	})
}

// takes tells whether the recipe is for that HAProxy, and the test's log if not.
func (r recipe) takes(t *testing.T, bin haproxytest.Binary) bool {
	if r.since == "" || bin.AtLeast(r.since) {
		return true
	}
	t.Logf("NOT TESTED with %v: %s is for HAProxy %s and later", bin, r.path(r.config), r.since)
	return false
}

func (r recipe) start(t *testing.T, bin haproxytest.Binary, s setup) *kitchen {
	t.Helper()
	k := &kitchen{t: t, agents: map[string]*agent{}}
	edits := slices.Concat([]string{"127.0.0.1:8080", `{{addr "http"}}`, "127.0.0.1:8081", startSite(t)}, s.edits)
	if r.dir == "kubernetes" {
		edits = s.edits // it has addresses of its own
	}
	if !s.none {
		for _, c := range r.cooks {
			for _, addr := range c.addrs {
				a := startAgent(t, c.program, append([]string{"-listen", "127.0.0.1:0"}, s.args...)...)
				k.agents[addr] = a
				edits = append(edits, addr, a.addr)
			}
		}
	}
	config, beside := r.files(t)
	for pair := range slices.Chunk(edits, 2) {
		found := strings.Contains(config, pair[0])
		config = strings.ReplaceAll(config, pair[0], pair[1])
		for name, text := range beside {
			found = found || strings.Contains(text, pair[0])
			beside[name] = strings.ReplaceAll(text, pair[0], pair[1])
		}
		require.True(t, found, "no file of %s has %q", r.dir, pair[0])
	}
	for name, text := range s.files {
		beside[name] = text
	}
	k.HAProxy = haproxytest.Start(t, bin, haproxytest.Config{Config: config, Files: beside, Args: r.args(), Env: s.env})
	k.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return k
}

// agent returns the only one of a recipe.
func (k *kitchen) agent() *agent {
	k.t.Helper()
	require.Len(k.t, k.agents, 1)
	for _, a := range k.agents {
		return a
	}
	return nil
}

// get requests a path until the response has a status. It tries more than once
// as this machine may be so busy that an agent misses its deadline.
func (k *kitchen) get(status int, path string, headers ...string) haproxytest.Response {
	k.t.Helper()
	var resp haproxytest.Response
	until(k.t, func() bool {
		resp = k.Get(path, headers...)
		return resp.Status == status
	}, func() string {
		return fmt.Sprintf("GET %s: want status %d, got %d %v", path, status, resp.Status, resp.Header)
	})
	return resp
}

// logged waits for a line of HAProxy's log and returns what an expression's first
// group matches.
func (k *kitchen) logged(expr string) string {
	k.t.Helper()
	re := regexp.MustCompile("(?m)" + expr)
	var m []string
	until(k.t, func() bool {
		m = re.FindStringSubmatch(k.Output())
		return m != nil
	}, func() string { return "no line of HAProxy's log matches " + expr })
	return m[len(m)-1]
}

// until waits until ok; what says what has not come.
func until(t *testing.T, ok func() bool, what func() string) {
	t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatal(what())
		}
	}
}

// send sends a request and reads its response.
func (k *kitchen) send(c *http.Client, req *http.Request) haproxytest.Response {
	k.t.Helper()
	resp, err := c.Do(req)
	require.NoError(k.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(k.t, err)
	return haproxytest.Response{Status: resp.StatusCode, Header: resp.Header, Body: string(body)}
}

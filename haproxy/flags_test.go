package haproxy_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/haproxy"
)

// program runs a program with these flags and one of its own.
func program(t *testing.T, args ...string) (out string, done bool, err error) {
	t.Helper()
	fs := flag.NewFlagSet("shop", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	listen := fs.String("listen", ":9000", "")
	f := haproxy.AddFlags(fs)
	if err := fs.Parse(args); err != nil {
		return "", false, err
	}
	var b bytes.Buffer
	done, err = f.Run(&b, guard(), haproxy.Config{Engine: "guard", Agents: []string{*listen}})
	return b.String(), done, err
}

func TestFlags(t *testing.T) {
	f := write(t, guard(), haproxy.Config{Engine: "guard", Agents: []string{"127.0.0.1:1"}})
	for args, want := range map[string]string{
		"-print-config=spoe":     f.SPOE,
		"-print-config=backend":  f.Backend,
		"-print-config=frontend": f.Frontend,
	} {
		out, done, err := program(t, "-listen", "127.0.0.1:1", args)
		assert.NoError(t, err)
		assert.True(t, done)
		assert.Equal(t, want, out, args)
	}
	out, done, err := program(t, "-print-config=backend", "-haproxy-agents", "10.0.0.1:9000,10.0.0.2:9000")
	assert.NoError(t, err)
	assert.True(t, done)
	assert.Regexp(t, `(?s)server agent1 10\.0\.0\.1:9000.*server agent2 10\.0\.0\.2:9000`, out)
	_, _, err = program(t, "-haproxy-agents", "10.0.0.1:9000")
	assert.ErrorContains(t, err, "-haproxy-agents needs -print-config")
	out, done, err = program(t, "-print-config", "-listen", "127.0.0.1:1")
	assert.NoError(t, err)
	assert.True(t, done)
	for _, part := range []string{f.SPOE, f.Backend, f.Frontend} {
		assert.Contains(t, out, part)
	}
	out, _, err = program(t, "-print-routes")
	assert.NoError(t, err)
	assert.True(t, json.Valid([]byte(out)))
	a, err := haproxy.ReadRoutes(strings.NewReader(out))
	require.NoError(t, err)
	assert.Equal(t, haproxy.Describe(guard()), a)

	_, done, err = program(t, "-listen", ":1", "-print-config=false")
	assert.NoError(t, err)
	assert.False(t, done)
	_, _, err = program(t, "-print-config=all-of-it")
	assert.ErrorContains(t, err, `"all-of-it" is none of spoe, backend, frontend, site and all`)
	_, _, err = program(t, "-print-config", "spoe")
	assert.ErrorContains(t, err, `"spoe" is left over: write -print-config=spoe with a '='`)
	_, _, err = program(t, "-check-config", "agents.cfg", "haproxy.cfg")
	assert.ErrorContains(t, err, `"haproxy.cfg" is left over: -check-config takes files with commas between them`)
	_, _, err = program(t, "-print-config", "-listen", "localhost")
	assert.ErrorContains(t, err, `Config.Agents: "localhost" has no port: write localhost:9000`)
	_, _, err = program(t, "-print-config", "-listen", "a b")
	assert.ErrorContains(t, err, `Config.Agents: "a b" is no address of one word`)
}

func TestFlagsCheck(t *testing.T) {
	f := write(t, guard(), haproxy.Config{Engine: "guard", FailClosed: true})
	dir := put(t, map[string]string{
		"haproxy.cfg": "frontend www\n" + f.Frontend, "agents.cfg": f.Backend, "spoe.conf": f.SPOE,
		"bad.cfg": "frontend www\n" + strings.Replace(f.Frontend, "http-request send-spoe-group", "#", 1),
	})
	in := func(name string) string { return filepath.Join(dir, name) }
	out, done, err := program(t, "-check-config", in("agents.cfg")+","+in("haproxy.cfg"))
	assert.NoError(t, err)
	assert.True(t, done)
	assert.Empty(t, out)
	out, done, err = program(t, "-check-config", in("agents.cfg")+","+in("bad.cfg"))
	assert.ErrorIs(t, err, haproxy.ErrFindings)
	assert.True(t, done)
	assert.Contains(t, out, `no rule sends the group "ask" [message-uncalled]`)
	_, _, err = program(t, "-check-config", in("none.cfg"))
	assert.ErrorContains(t, err, "none.cfg: no such file or directory")
}

// TestParse runs a program with the one call, the one of the package's
// documentation.
func TestParse(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	_, text, _ := strings.Cut(string(doc), "//	package main\n")
	text, _, _ = strings.Cut(text, "//\n// #")
	source := "package main\n"
	for line := range strings.Lines(text) {
		source += strings.TrimPrefix(strings.TrimPrefix(line, "//"), "\t")
	}
	dir := t.TempDir()
	file, exe := filepath.Join(dir, "main.go"), filepath.Join(dir, "guard")
	require.NoError(t, os.WriteFile(file, []byte(source), 0o600))
	out, err := exec.Command("go", "build", "-o", exe, file).CombinedOutput()
	require.NoError(t, err, "%s", out)
	out, err = exec.Command("gofmt", "-l", file).CombinedOutput()
	require.NoError(t, err)
	assert.Empty(t, string(out))

	run := func(args ...string) (string, int) {
		cmd := exec.Command(exe, args...)
		cmd.Dir = dir
		out, _ := cmd.CombinedOutput()
		return string(out), cmd.ProcessState.ExitCode()
	}
	for _, part := range []string{"spoe", "backend", "frontend"} {
		text, status := run("-print-config=" + part)
		require.Zero(t, status, text)
		require.NoError(t, os.WriteFile(filepath.Join(dir, part), []byte(text), 0o600))
	}
	cfg := func(name, oldnew string) {
		b, err := os.ReadFile(filepath.Join(dir, "frontend"))
		require.NoError(t, err)
		text := strings.NewReplacer(strings.Split(oldnew, "|")...).Replace("frontend www\n" + string(b))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	cfg("good.cfg", "config spoe.conf|config spoe")
	cfg("bad.cfg", "config spoe.conf|config spoe|txn.guard.score|txn.guard.scores|#http|http")
	text, status := run("-check-config", "backend,good.cfg")
	assert.Zero(t, status, text)
	text, status = run("-check-config", "backend,bad.cfg")
	assert.Equal(t, 1, status, text)
	assert.Contains(t, text, "[variable-never-set]")
	text, status = run("-check-config", "none.cfg")
	assert.Equal(t, 2, status, text)
	text, status = run("-print-config=x")
	assert.Equal(t, 2, status, text)
}

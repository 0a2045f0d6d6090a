//go:build unix && !race

package docs_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spoke-go/spoke/internal/freeaddr"
	"github.com/spoke-go/spoke/internal/lockedbuffer"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/internal/recipes"
)

// TestFirstAgent does what a reader of first-agent.md does, with every HAProxy there is.
// The test changes the page's commands: the ports are free ones, and Spoke is this working
// tree. The race detector has nothing to see in it.
func TestFirstAgent(t *testing.T) {
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	const page = "first-agent.md"
	todo := blocks(t, page)
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		r := newReader(t, page, root, bin)
		for _, b := range todo {
			r.do(b)
		}
	})
}

// reader is somebody who does what a page says.
type reader struct {
	t         *testing.T
	page      string
	bin       haproxytest.Binary
	dir       string // where the page's reader is
	env       []string
	other     *strings.Replacer // the test's changes to the page's commands
	terminals map[string]*terminal
}

// newReader makes a reader of a page. The changes, as pairs of old and new, are the
// addresses, the place of Spoke, and others.
func newReader(t *testing.T, page, root string, bin haproxytest.Binary, others ...string) *reader {
	tmp := t.TempDir()
	programs := filepath.Join(tmp, "bin")
	require.NoError(t, os.Mkdir(programs, 0o755))
	script := fmt.Sprintf("#!/bin/sh\nexec '%s' \"$@\"\n", bin.Path)
	require.NoError(t, os.WriteFile(filepath.Join(programs, "haproxy"), []byte(script), 0o755))
	r := &reader{t: t, page: page, bin: bin, dir: filepath.Join(tmp, "home"), terminals: map[string]*terminal{}}
	require.NoError(t, os.Mkdir(r.dir, 0o755))
	r.env = append(os.Environ(), "PATH="+programs+":"+os.Getenv("PATH"), "GOWORK=off",
		// The modules that Spoke needs are in the cache; the test asks the network for no
		// others.
		"GONOSUMDB=*", "GOPROXY=file://"+goEnv(t, "GOMODCACHE")+"/cache/download,"+goEnv(t, "GOPROXY"))
	r.other = strings.NewReplacer(append(others,
		"127.0.0.1:9000", freeaddr.Find(t), "127.0.0.1:8080", freeaddr.Find(t),
		"git clone https://github.com/spoke-go/spoke ../spoke", "test -f '"+root+"/go.mod'",
		"spoke=../spoke", "spoke='"+root+"'",
	)...)
	return r
}

func goEnv(t *testing.T, name string) string {
	out, err := exec.Command("go", "env", name).Output()
	require.NoError(t, err)
	return strings.TrimSpace(string(out))
}

func (r *reader) do(b block) {
	r.t.Helper()
	text := r.other.Replace(b.text)
	kind, arg, _ := strings.Cut(b.arg, " ")
	switch {
	case b.what == "file":
		require.NoError(r.t, os.WriteFile(filepath.Join(r.dir, b.arg), []byte(text), 0o644))
	case b.what == "interrupt":
		r.terminals[b.arg].interrupt()
	case b.what == "says":
		name, want, _ := strings.Cut(b.arg, ": ")
		output := r.terminals[name].output
		recipes.Until(r.t, func() bool { return strings.Contains(output.String(), want) }, func() string { return name + " does not say " + want })
	case b.what == "run" && kind == "terminal":
		r.terminals[arg] = r.start(strings.TrimSpace(strings.TrimPrefix(text, "$ ")))
	case b.what == "run":
		for command := range strings.SplitSeq(strings.TrimPrefix(text, "$ "), "\n$ ") {
			command, want, _ := strings.Cut(command, "\n")
			r.run(b.line, command, want)
		}
	default:
		r.t.Fatalf("line %d: no marker of this page: %s: %s", b.line, b.what, b.arg)
	}
}

// run runs a command, whose output must be what the page says.
func (r *reader) run(line int, command, want string) {
	r.t.Helper()
	pattern := strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSpace(want)), "…", `(?s:.*)`)
	output := regexp.MustCompile(`^` + pattern + `\s*$`)
	deadline := time.Now().Add(recipes.Patience)
	for {
		out, err := r.once(command)
		good := err == nil && (strings.TrimSpace(want) == "" || output.MatchString(out))
		if good {
			return
		}
		if time.Now().After(deadline) || !strings.HasPrefix(command, "curl ") {
			for name, term := range r.terminals {
				r.t.Logf("terminal %s: %s", name, term.output.String())
			}
			r.t.Fatalf("%s:%d: %s\nhas printed %v\n%s\nand should have\n%s", r.page, line, command, err, out, want)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (r *reader) once(command string) (string, error) {
	// The shell prints its folder.
	where := filepath.Join(r.t.TempDir(), "pwd")
	cmd := exec.CommandContext(r.t.Context(), "sh", "-ec", command+"\npwd >'"+where+"'")
	cmd.Dir, cmd.Env = r.dir, r.env
	out, err := cmd.CombinedOutput()
	if err == nil {
		dir, err := os.ReadFile(where)
		require.NoError(r.t, err)
		r.dir = strings.TrimSpace(string(dir))
	}
	return strings.ReplaceAll(string(out), "\r", ""), err
}

// terminal is one in which a program runs.
type terminal struct {
	t      *testing.T
	cmd    *exec.Cmd
	output *lockedbuffer.Buffer
	ended  chan error
}

func (r *reader) start(command string) *terminal {
	term := &terminal{t: r.t, cmd: exec.CommandContext(context.Background(), "sh", "-c", "exec "+command), output: new(lockedbuffer.Buffer), ended: make(chan error, 1)}
	term.cmd.Dir, term.cmd.Env = r.dir, r.env
	term.cmd.Stdout, term.cmd.Stderr = term.output, term.output
	term.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // as a terminal does: Ctrl-C reaches all of it
	require.NoError(r.t, term.cmd.Start())
	go func() { term.ended <- term.cmd.Wait() }() // ends with the process, which the cleanup kills
	r.t.Cleanup(func() {
		_ = syscall.Kill(-term.cmd.Process.Pid, syscall.SIGKILL)
		if err, ok := <-term.ended; ok && r.t.Failed() {
			r.t.Logf("%s: %v\n%s", command, err, term.output.String())
		}
	})
	return term
}

// interrupt is Ctrl-C. The program must end by itself.
func (term *terminal) interrupt() {
	term.t.Helper()
	require.NoError(term.t, syscall.Kill(-term.cmd.Process.Pid, syscall.SIGINT))
	select {
	case err := <-term.ended:
		close(term.ended)
		if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
			term.t.Fatal(err)
		}
	case <-time.After(recipes.Patience):
		term.t.Fatalf("Ctrl-C does not end it: %s", term.output.String())
	}
}

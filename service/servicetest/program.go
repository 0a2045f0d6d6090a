package servicetest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

var built struct {
	once sync.Once
	dir  string
	err  error
}

// Program builds the main package that is being tested, once for all tests, and returns
// its path.
func Program(t testing.TB) string {
	t.Helper()
	built.once.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "servicetest-"); built.err != nil {
			return
		}
		if out, err := exec.Command("go", "build", "-o", filepath.Join(built.dir, "agent"), ".").CombinedOutput(); err != nil {
			built.err = fmt.Errorf("go build: %w\n%s", err, out)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return filepath.Join(built.dir, "agent")
}

// RemoveProgram removes the file that Program built. A TestMain calls it at its end.
func RemoveProgram() error {
	if built.dir == "" {
		return nil
	}
	return os.RemoveAll(built.dir)
}

// Run is Start with the program of [Program], in a separate process.
func Run(t testing.TB, environ []string, flags ...string) *Agent {
	t.Helper()
	a := &Agent{Log: NewBuffer(), Out: NewBuffer(), Ended: make(chan int, 1)}
	cmd := exec.Command(Program(t), withDefaults(flags)...)
	cmd.Env = append(os.Environ(), environ...)
	cmd.Stdout, cmd.Stderr = a.Out, a.Log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	a.Stop = sync.OnceFunc(func() { // a second signal would end it at once
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Error(err)
		}
	})
	var done sync.WaitGroup
	done.Go(func() { // ends with the process
		_ = cmd.Wait() // the exit status shows it
		a.Ended <- cmd.ProcessState.ExitCode()
	})
	a.endWith(t, &done)
	return a
}

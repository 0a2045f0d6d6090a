package haproxytest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// recorder is a test within a test, which should fail.
type recorder struct {
	testing.TB
	failed   bool
	log      []string
	cleanups []func()
}

func (r *recorder) Helper()          {}
func (r *recorder) Failed() bool     { return r.failed }
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }

func (r *recorder) Log(args ...any)            { r.log = append(r.log, fmt.Sprint(args...)) }
func (r *recorder) Logf(f string, args ...any) { r.Log(fmt.Sprintf(f, args...)) }

func (r *recorder) Error(args ...any)            { r.Log(args...); r.failed = true }
func (r *recorder) Errorf(f string, args ...any) { r.Error(fmt.Sprintf(f, args...)) }

func (r *recorder) Fatal(args ...any)            { r.Error(args...); runtime.Goexit() }
func (r *recorder) Fatalf(f string, args ...any) { r.Fatal(fmt.Sprintf(f, args...)) }

// record runs f as a test and returns what it logged, and whether it failed.
func record(t *testing.T, f func(tb testing.TB)) (log string, failed bool) {
	r := &recorder{TB: t}
	run := func(f func()) {
		done := make(chan struct{})
		go func() { // ended by f or by Goexit; the receive below waits for it
			defer close(done)
			f()
		}()
		<-done
	}
	run(func() { f(r) })
	for i := len(r.cleanups) - 1; i >= 0; i-- {
		run(r.cleanups[i])
	}
	return strings.Join(r.log, "\n"), r.failed
}

// fakeHAProxy writes a program that tells the given version and returns its path.
func fakeHAProxy(t *testing.T, dir, version string) string {
	t.Helper()
	path := filepath.Join(dir, "haproxy")
	require.NoError(t, os.MkdirAll(dir, 0o755))
	script := "#!/bin/sh\necho 'HAProxy version " + version + " 2026/01/01 - of a test'\n"
	require.NoError(t, os.WriteFile(path, []byte(script), 0o755))
	return path
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// runner runs the tests of packages on one mutant after the other.
type runner struct {
	tests           []string // the folders of the packages, until one's tests fail
	timeout         time.Duration
	tried, survived int
}

// run tries n mutants that compile, or all if n is 0, and prints the survivors.
func (r *runner) run(ctx context.Context, all []mutant, n int) error {
	tmp, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if out, err := r.test(ctx, filepath.Join(tmp, "none.json"), mutant{}); err != nil {
		return fmt.Errorf("the tests fail without a change:\n%s", out)
	}
	for _, m := range all {
		if n > 0 && r.tried >= n || ctx.Err() != nil {
			return ctx.Err()
		}
		out, err := r.test(ctx, filepath.Join(tmp, "overlay.json"), m)
		switch {
		case strings.Contains(out, "[build failed]"), strings.Contains(out, "[setup failed]"):
			continue // the compiler notices
		case err == nil:
			r.survived++
			fmt.Println(m)
		}
		r.tried++
	}
	return nil
}

// test runs the tests with m in place, up to the first package where they fail; a zero
// m changes nothing.
func (r *runner) test(ctx context.Context, overlay string, m mutant) (out string, err error) {
	replace := map[string]string{}
	if m.file != "" {
		src, err := os.ReadFile(m.file)
		if err != nil {
			return "", err
		}
		path, err := filepath.Abs(m.file)
		if err != nil {
			return "", err
		}
		changed := overlay + ".go"
		text := string(src[:m.start]) + m.text + string(src[m.end:])
		if err := os.WriteFile(changed, []byte(text), 0o600); err != nil {
			return "", err
		}
		replace[path] = changed
	}
	b, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(overlay, b, 0o600); err != nil {
		return "", err
	}
	for _, dir := range r.tests {
		if out, err = r.testPackage(ctx, overlay, dir); err != nil {
			break
		}
	}
	return out, err
}

func (r *runner) testPackage(ctx context.Context, overlay, dir string) (out string, err error) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout+time.Minute) // and a minute to build
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "test", "-short", "-vet=off", "-failfast", "-timeout", r.timeout.String(), "-overlay", overlay, ".")
	cmd.Dir, cmd.WaitDelay = dir, time.Second
	raw, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return string(raw), fmt.Errorf("go test: %w", err)
	}
	return string(raw), err
}

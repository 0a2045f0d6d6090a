package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// lines writes whole lines, from several sources.
type lines struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lines) printf(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.w, format+"\n", args...)
}

// prefixed writes a program's output, each line after the program's name.
type prefixed struct {
	out     *lines
	name    string
	partial []byte
}

func (p *prefixed) Write(b []byte) (int, error) {
	p.partial = append(p.partial, b...)
	for {
		line, rest, ended := bytes.Cut(p.partial, []byte("\n"))
		if !ended {
			return len(b), nil
		}
		p.out.printf("%s | %s", p.name, line)
		p.partial = rest
	}
}

// process is a program that runs in the background.
type process struct {
	name  string
	cmd   *exec.Cmd
	ended chan struct{} // closed when it has ended, err is set then
	err   error
}

// group is all that runs.
type group struct{ all []*process }

func (g *group) start(out *lines, name string, cmd *exec.Cmd) (*process, error) {
	w := &prefixed{out: out, name: name}
	cmd.Stdout, cmd.Stderr = w, w
	cmd.SysProcAttr = endWithParent()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{name: cmd.Path, cmd: cmd, ended: make(chan struct{})}
	go func() { // ends with the process, stop waits for that
		p.err = cmd.Wait()
		close(p.ended)
	}()
	g.all = append(g.all, p)
	return p, nil
}

// waitFor returns when ok is true, or the process is not there any more.
func (p *process) waitFor(ctx context.Context, what string, ok func() bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startLimit, fmt.Errorf("%s: not %s within %v", p.name, what, startLimit))
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-p.ended:
			return p.endedByItself()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

func (p *process) endedByItself() error {
	if p.err != nil {
		return fmt.Errorf("%s ended: %w", p.name, p.err)
	}
	return fmt.Errorf("%s ended", p.name)
}

// wait returns when ctx ends, or with an error when one of the processes does.
func (g *group) wait(ctx context.Context) error {
	failed := make(chan error, len(g.all))
	for _, p := range g.all {
		go func() { // ends with the process at the latest, or with ctx
			select {
			case <-p.ended:
				failed <- p.endedByItself()
			case <-ctx.Done():
			}
		}()
	}
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return nil
	}
}

// stop ends all processes, the last started first, and waits for each.
func (g *group) stop() error {
	var errs []error
	for i := len(g.all) - 1; i >= 0; i-- {
		p := g.all[i]
		// It fails only if the process has ended, which is the aim.
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-p.ended:
		case <-time.After(stopLimit):
			_ = p.cmd.Process.Signal(os.Kill)
			<-p.ended
			errs = append(errs, fmt.Errorf("%s did not end within %v of SIGTERM", p.name, stopLimit))
		}
	}
	return errors.Join(errs...)
}

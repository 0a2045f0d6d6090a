package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/spoke-go/spoke/internal/child"
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
type process struct{ *child.Process }

// group is all that runs.
type group struct{ all []*process }

func (g *group) start(out *lines, name string, cmd *exec.Cmd) (*process, error) {
	p, err := child.Start(cmd, &prefixed{out: out, name: name})
	if err != nil {
		return nil, err
	}
	g.all = append(g.all, &process{p})
	return g.all[len(g.all)-1], nil
}

// waitFor returns when ok is true, or the process is not there any more.
func (p *process) waitFor(ctx context.Context, what string, ok func() bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startLimit, fmt.Errorf("%s: not %s within %v", p.Cmd.Path, what, startLimit))
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-p.Ended:
			return p.endedByItself()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

func (p *process) endedByItself() error {
	if p.Err != nil {
		return fmt.Errorf("%s ended: %w", p.Cmd.Path, p.Err)
	}
	return fmt.Errorf("%s ended", p.Cmd.Path)
}

// wait returns when ctx ends, or with an error when one of the processes does.
func (g *group) wait(ctx context.Context) error {
	failed := make(chan error, len(g.all))
	for _, p := range g.all {
		go func() { // ends with the process at the latest, or with ctx
			select {
			case <-p.Ended:
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
		p.Signal(syscall.SIGTERM)
		select {
		case <-p.Ended:
		case <-time.After(stopLimit):
			p.Kill()
			errs = append(errs, fmt.Errorf("%s did not end within %v of SIGTERM", p.Cmd.Path, stopLimit))
		}
	}
	return errors.Join(errs...)
}

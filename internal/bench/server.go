package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/spoke-go/spoke/internal/bench/internal/ctl"
	"github.com/spoke-go/spoke/internal/bench/internal/proc"
)

// program is one of the programs that the runner built, with its arguments.
type program struct {
	name string // as the tables have it
	bin  string // floor, agent or load
	args []string
	// looking is the number of browsers that have the program's page of package inspect open.
	looking int
}

// place is the place of a process: pinned to a core or, with core -1, anywhere.
type place struct {
	core  int
	procs int // GOMAXPROCS
}

// process is a running program that answers a line by a line.
type process struct {
	program
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines *bufio.Scanner
}

// start starts a program. ctx kills it where it does not end by itself.
func (b *bench) start(ctx context.Context, p program, at place) (*process, error) {
	cmd := exec.CommandContext(ctx, b.path(p.bin), p.args...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS="+strconv.Itoa(at.procs))
	cmd.Stderr = os.Stderr
	cmd.WaitDelay = time.Second
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if at.core < 0 {
		err = cmd.Start()
	} else {
		err = proc.StartOn(at.core, cmd)
	}
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	return &process{program: p, cmd: cmd, in: in, lines: bufio.NewScanner(out)}, nil
}

// read reads one line of JSON into v.
func (p *process) read(v any) error {
	if !p.lines.Scan() {
		return fmt.Errorf("%s has ended: %w", p.name, errors.Join(p.lines.Err(), p.cmd.Wait()))
	}
	if err := json.Unmarshal(p.lines.Bytes(), v); err != nil {
		return fmt.Errorf("%s said %q: %w", p.name, p.lines.Bytes(), err)
	}
	return nil
}

// tell writes one line.
func (p *process) tell(line string) error {
	if _, err := io.WriteString(p.in, line+"\n"); err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	return nil
}

// stop ends the process by the end of its input and waits for it.
func (p *process) stop() error {
	_ = p.in.Close()
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	return nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// server is a floor or an agent that listens.
type server struct {
	*process
	addr string
	page string // the URL of its page, or ""
}

func (b *bench) serve(ctx context.Context, p program, at place) (*server, error) {
	proc, err := b.start(ctx, p, at)
	if err != nil {
		return nil, err
	}
	var hello ctl.Hello
	if err := proc.read(&hello); err != nil {
		return nil, err
	}
	return &server{process: proc, addr: hello.Addr, page: hello.Page}, nil
}

// ask is "stats" or "release", see package ctl.
func (s *server) ask(question string) (ctl.Stats, error) {
	var stats ctl.Stats
	if err := s.tell(question); err != nil {
		return stats, err
	}
	return stats, s.read(&stats)
}

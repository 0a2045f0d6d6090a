package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

type demo struct {
	scene
	haproxy bool
	stay    bool
	during  time.Duration
	out     *lines
}

// run starts everything, asks, and ends everything.
func (d *demo) run(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "spoke-run-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)

	binary := filepath.Join(dir, "agent")
	d.out.printf("Building %s", d.dir)
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, ".")
	build.Dir = d.dir
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("go build in %s: %w", d.dir, err)
	}

	agentAddr, err := d.freeAddr("127.0.0.1:9000", "the agent")
	if err != nil {
		return err
	}
	adminAddr, err := d.freeAddr("127.0.0.1:6060", "the agent's /metrics")
	if err != nil {
		return err
	}
	// HAProxy is ended before the agent: there is no health check to wait for.
	agentArgs := []string{"-listen", agentAddr, "-admin-listen", adminAddr, "-shutdown-timeout", "1s",
		"-haproxy-config", filepath.Join(d.dir, "agents.cfg"), "-haproxy-config", filepath.Join(d.dir, "haproxy.cfg")}
	if !d.haproxy {
		agentArgs = append(agentArgs, d.aloneArgs...)
	}
	var running group
	// Last started, first ended: HAProxy before the agent that it asks.
	defer func() { err = errors.Join(err, running.stop()) }()
	if d.prepare != nil {
		more, err := d.prepare(ctx, d, &running, dir)
		if err != nil {
			return err
		}
		agentArgs = append(agentArgs, more...)
	}
	cmd := exec.Command(binary, agentArgs...)
	// Its telemetry would be between the lines that matter here. OTEL_SDK_DISABLED=false in
	// the environment turns it on: the last one counts.
	cmd.Env = append([]string{"OTEL_SDK_DISABLED=true"}, os.Environ()...)
	agent, err := running.start(d.out, "agent  ", cmd)
	if err != nil {
		return err
	}
	if err := agent.waitFor(ctx, "an answer on "+agentAddr, func() bool { return accepts(agentAddr) }); err != nil {
		return err
	}

	d.out.printf("Watch HAProxy's messages live: http://%s/inspect/ in a browser.", adminAddr)
	d.out.printf("The agent's metrics: curl http://%s/metrics", adminAddr)
	ask := d.askHAProxy
	if !d.haproxy {
		ask = d.askAgent
	}
	return ask(ctx, &running, agentAddr, adminAddr)
}

// askHAProxy starts HAProxy and the origin, and asks over HTTP.
func (d *demo) askHAProxy(ctx context.Context, running *group, agentAddr, adminAddr string) error {
	found, err := haproxytest.Installed()
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return errors.New("no HAProxy found")
	}
	bin := found[len(found)-1]

	originAddr, err := d.freeAddr("127.0.0.1:8081", "the origin")
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", originAddr)
	if err != nil {
		return err
	}
	origin := &http.Server{Handler: d.site, ReadHeaderTimeout: askLimit}
	defer origin.Close()
	go func() { _ = origin.Serve(listener) }() // ended by Close, its only error

	frontend, err := d.freeAddr("127.0.0.1:8080", "HAProxy")
	if err != nil {
		return err
	}
	cmd := exec.Command(bin.Path, "-db",
		"-f", filepath.Join(d.dir, "agents.cfg"), "-f", filepath.Join(d.dir, "haproxy.cfg"))
	cmd.Env = append(os.Environ(), d.env+"_FRONTEND="+frontend, d.env+"_ORIGIN="+originAddr, d.env+"_AGENT="+agentAddr)
	haproxy, err := running.start(d.out, "haproxy", cmd)
	if err != nil {
		return err
	}
	if err := haproxy.waitFor(ctx, "an answer on "+frontend, func() bool { return accepts(frontend) }); err != nil {
		return err
	}
	d.out.printf("%v on %s, the agent on %s, an origin on %s.\n", bin, frontend, agentAddr, originAddr)
	d.out.printf("%s\n", d.note)
	client := &httpClient{url: "http://" + frontend}
	defer client.Close()
	return d.askAll(ctx, running, client, adminAddr)
}

// askAgent asks the agent as HAProxy would, on a machine without HAProxy.
func (d *demo) askAgent(ctx context.Context, running *group, agentAddr, adminAddr string) error {
	if d.alone == nil {
		return fmt.Errorf("%s can only be shown with HAProxy, and there is none: apt-get install haproxy", d.dir)
	}
	client, err := d.alone(ctx, agentAddr)
	if err != nil {
		return err
	}
	defer client.Close()
	d.out.printf("WITHOUT HAPROXY: its side of SPOP is package spoe/spoetest's, its rules are those of")
	d.out.printf("%s/haproxy.cfg, worked out here. The agent is on %s.\n", d.dir, agentAddr)
	return d.askAll(ctx, running, client, adminAddr)
}

// askAll asks each case once, then again for the given time.
func (d *demo) askAll(ctx context.Context, running *group, client asker, adminAddr string) error {
	var asked, wrong int
	ask := func(c visit) string {
		asked++
		got, err := client.ask(ctx, c)
		outcome := fmt.Sprintf("%d, %s", got.status, c.why)
		if err == nil {
			err = c.check(got)
		}
		if err != nil && ctx.Err() == nil {
			wrong++
			outcome = fmt.Sprintf("WRONG: %v", err)
		}
		return fmt.Sprintf("  %-76s %s", client.command(c), outcome)
	}

	begun := time.Now()
	var table strings.Builder
	for _, c := range d.visits {
		for range c.before {
			if _, err := client.ask(ctx, c); err != nil {
				return err
			}
		}
		table.WriteString(ask(c) + "\n")
	}
	d.out.printf("\nTry these; each line ends with the answer that it just got:\n\n%s", &table)
	if err := d.prove(ctx, adminAddr); err != nil {
		return err
	}
	if d.during > 0 {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for i := 0; time.Since(begun) < d.during && ctx.Err() == nil; i++ {
			if before, line := wrong, ask(d.visits[i%len(d.visits)]); wrong > before {
				d.out.printf("%s", line)
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
			}
		}
	}
	var err error
	if d.stay && wrong == 0 {
		if !client.installed() {
			d.out.printf("curl is not installed here: apt-get install curl, or open the address in a browser.")
		}
		d.out.printf("A line for every decision follows, until Ctrl-C.")
		err = running.wait(ctx)
	}
	if !d.stay {
		d.out.printf("%d requests in %v, %d wrong answers.", asked, time.Since(begun).Round(time.Millisecond), wrong)
	}
	if wrong > 0 {
		err = errors.Join(err, fmt.Errorf("%d of %d requests got a wrong answer", wrong, asked))
	}
	return err
}

// prove prints the agent's metrics about the visits.
func (d *demo) prove(ctx context.Context, adminAddr string) error {
	if d.proof == nil {
		return nil
	}
	metrics := &httpClient{url: "http://" + adminAddr}
	defer metrics.Close()
	a, err := metrics.ask(ctx, visit{target: "/metrics"})
	if err != nil {
		return err
	}
	text, err := d.proof(a.origin)
	if err != nil {
		return fmt.Errorf("the agent's metrics: %w", err)
	}
	d.out.printf("%s", text)
	return nil
}

// freeAddr returns addr, or says that it is in use and returns another.
func (d *demo) freeAddr(addr, what string) (string, error) {
	lis, err := net.Listen("tcp", addr)
	if err != nil {
		if lis, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return "", err
		}
		other := lis.Addr().String()
		d.out.printf("%s is in use: %s gets %s", addr, what, strings.TrimPrefix(other, "127.0.0.1:"))
		addr = other
	}
	return addr, lis.Close()
}

func port(addr string) string { return addr[strings.LastIndexByte(addr, ':')+1:] }

func accepts(addr string) bool {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

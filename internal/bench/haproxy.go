package main

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

var (
	//go:embed haproxy.cfg
	haproxyCfg string
	//go:embed spoe.conf
	spoeConf string
)

// ways are the three frontends of haproxy.cfg.
var ways = [...]string{"without SPOE", "with the floor", "with the agent"}

// haproxy is a running HAProxy with a URL for each of the ways.
type haproxy struct {
	cmd  *exec.Cmd
	out  *bytes.Buffer
	urls [len(ways)]string
}

// startHAProxy starts it and waits until it listens. ctx kills it where stop
// is not reached.
func (b *bench) startHAProxy(ctx context.Context, bin haproxytest.Binary, floor, agent string) (*haproxy, error) {
	dir, err := os.MkdirTemp(b.bins, "haproxy-")
	if err != nil {
		return nil, err
	}
	mode := "tcp"
	if bin.AtLeast("3.1") {
		mode = "spop"
	}
	h := &haproxy{out: new(bytes.Buffer)}
	env := []string{"SPOE_CONF=" + filepath.Join(dir, "spoe.conf"), "SPOP_MODE=" + mode, "FLOOR=" + floor, "AGENT=" + agent}
	for i, name := range []string{"PLAIN", "WITH_FLOOR", "WITH_AGENT"} {
		addr, err := freeAddr()
		if err != nil {
			return nil, err
		}
		h.urls[i] = "http://" + addr + "/"
		env = append(env, name+"="+addr)
	}
	cfg := filepath.Join(dir, "haproxy.cfg")
	if err := os.WriteFile(cfg, []byte(haproxyCfg), 0o600); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "spoe.conf"), []byte(spoeConf), 0o600); err != nil {
		return nil, err
	}
	h.cmd = exec.CommandContext(ctx, bin.Path, "-db", "-f", cfg)
	h.cmd.Env = append(os.Environ(), env...)
	h.cmd.Stdout, h.cmd.Stderr = h.out, h.out
	h.cmd.WaitDelay = time.Second
	if err := h.cmd.Start(); err != nil {
		return nil, err
	}
	for _, url := range h.urls {
		if err := listens(strings.Trim(url, "htp:/")); err != nil {
			_ = h.cmd.Process.Kill()
			_ = h.cmd.Wait()
			return nil, fmt.Errorf("%w; it said:\n%s", err, h.out)
		}
	}
	return h, nil
}

// stop ends it by the signal for a hard stop, and waits.
func (h *haproxy) stop() error {
	if err := h.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	// It tells the signal by its exit status, which is no failure.
	_ = h.cmd.Wait()
	return nil
}

// freeAddr returns a free address of the loopback.
func freeAddr() (string, error) {
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer lis.Close()
	return lis.Addr().String(), nil
}

// listens waits until somebody does.
func listens(addr string) error {
	var err error
	for range 100 {
		var c net.Conn
		if c, err = net.DialTimeout("tcp", addr, time.Second); err == nil {
			return c.Close()
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("haproxy does not listen: %w", err)
}

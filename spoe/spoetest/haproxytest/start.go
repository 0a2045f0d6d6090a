package haproxytest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spoke-go/spoke/internal/child"
)

// start starts a process with cfg, which takes over from the one that serves.
func (h *HAProxy) start(cfg Config) error {
	env, err := cfg.render(h.Dir, h.Binary, &h.ports)
	if err != nil {
		return err
	}
	args := []string{"-db"}
	if len(h.procs) > 0 {
		// A reload as by HAProxy's own master process: the new process gets the listening
		// sockets from the old one, so that no connection waiting in them is lost, and then
		// tells it to finish.
		if _, err := h.check(cfg, env); err != nil {
			return err
		}
		args = append(args, "-x", filepath.Join(h.Dir, adminSocket))
		// Connections kept alive would keep the old process from ending.
		defer h.client.CloseIdleConnections()
	}
	args = append(args, h.args(cfg)...)
	if len(h.procs) > 0 {
		args = append(args, "-sf", strconv.Itoa(h.serving().Pid())) // takes all that follows
	}

	p, err := child.Start(h.command(env, args), &h.out)
	if err != nil {
		return err
	}
	h.procs = append(h.procs, p)
	h.stopped = false
	if err := h.ready(p); err != nil {
		return err
	}
	name := h.ports.first
	if _, ok := h.ports.byName["http"]; ok {
		name = "http"
	}
	if name != "" {
		h.URL = "http://" + h.ports.byName[name]
	}
	return nil
}

// ready returns when p answers on the admin socket: it serves its other
// addresses by then. After a reload the old process may be the one to answer
// at first, hence the pid.
func (h *HAProxy) ready(p *child.Process) error {
	deadline := time.NewTimer(startLimit)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	want := fmt.Sprintf("\nPid: %d\n", p.Pid())
	for {
		if answer, err := h.admin("show info"); err == nil && strings.Contains(answer, want) {
			return nil
		}
		select {
		case <-tick.C:
		case <-p.Ended:
			return fmt.Errorf("it ended: %w", p.Err)
		case <-deadline.C:
			return fmt.Errorf("it does not serve after %v", startLimit)
		}
	}
}

func (h *HAProxy) check(cfg Config, env []string) (warnings string, err error) {
	cmd := h.command(env, append([]string{"-c"}, h.args(cfg)...))
	out, err := cmd.CombinedOutput()
	text := strings.TrimSpace(strings.Replace(string(out), "Configuration file is valid", "", 1))
	if err != nil {
		return "", fmt.Errorf("haproxy -c: %w\n%s", err, text)
	}
	return text, nil
}

func (h *HAProxy) args(cfg Config) []string {
	return slices.Concat(cfg.Args, []string{"-f", configFile, "-f", addedFile})
}

func (h *HAProxy) command(env, args []string) *exec.Cmd {
	cmd := exec.Command(h.Binary.Path, args...)
	cmd.Dir = h.Dir
	cmd.Env = append(os.Environ(), env...)
	return cmd
}

func (h *HAProxy) serving() *child.Process { return h.procs[len(h.procs)-1] }

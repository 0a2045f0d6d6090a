// Command mirror is an SPOE agent that copies requests to other sites. Its -h explains
// it, and haproxy.cfg beside this file shows HAProxy's side. The agent writes the other
// files of that side, spoe.conf and agents.cfg (-print-config).
package main

import (
	"context"
	"time"

	"github.com/spoke-go/spoke/haproxy"
	"github.com/spoke-go/spoke/service"
)

//go:generate sh -c "go run . -print-config=spoe > spoe.conf"
//go:generate sh -c "go run . -print-config=backend > agents.cfg"

const about = `mirror copies requests to other sites, such as a new version of the one that
answers. HAProxy sends it the requests to copy (see haproxy.cfg and
spoe.conf) and goes on at once: no visitor waits for a copy.

    mirror -url http://127.0.0.1:8082 -share 10

copies every tenth request. Without -url and without targets in the file of -config
it copies nothing.`

func main() { service.Main(agent()) }

func agent() service.Agent[Config] {
	return service.Agent[Config]{
		Name:     "mirror",
		About:    about,
		Defaults: defaults,
		Service:  service.Settings{Timeout: 50 * time.Millisecond},
		// The address comes from the environment, as those in haproxy.cfg do.
		HAProxy: haproxy.Config{Engine: "mirror", Agents: []string{`"${MIRROR_AGENT-127.0.0.1:9000}"`}},
		Setup:   setup,
	}
}

func setup(_ context.Context, s *service.Setup[Config]) error {
	counts, err := newCounts(s.Metrics)
	if err != nil {
		return err
	}
	targets, err := s.Derive(func(_ context.Context, c *Config) (targets, error) {
		return newTargets(c, s.Log, counts, s.Metrics, s.Traces)
	})
	if err != nil {
		return err
	}
	s.Watch(func(c *Config) (files []string) {
		for _, t := range c.Target {
			files = append(files, t.TLS.Files()...)
		}
		return files
	})
	register(s.Router, targets.Load, s.Config)
	return nil
}

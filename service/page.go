package service

import (
	"context"
	"strings"

	"go.opentelemetry.io/otel/trace"

	"github.com/spoke-go/spoke/haproxy"
	"github.com/spoke-go/spoke/inspect"
	"github.com/spoke-go/spoke/spoe"
)

// newPage returns the live page. It costs almost nothing while no browser shows it.
func (p *program[C]) newPage(s *Setup[C], agent *spoe.Agent) *inspect.Page {
	settings := s.Settings()
	addr := settings.Listen[0]
	if strings.HasPrefix(addr, ":") {
		addr = "127.0.0.1" + addr
	}
	c := inspect.Config{
		Name: p.Name, Addr: addr, Agent: agent, Routes: s.Router.Routes, Secrets: p.Middleware.Trace.Secrets,
		TraceID: func(ctx context.Context) string {
			if span := trace.SpanContextFromContext(ctx); span.IsSampled() {
				return span.TraceID().String()
			}
			return ""
		},
		HAProxy: func() ([]inspect.File, error) {
			c := p.haproxyConfig(settings)
			files, err := haproxy.Write(haproxy.Describe(s.Router), c)
			return []inspect.File{
				{Name: "spoe.conf", Text: files.SPOE},
				{Name: "agents.cfg", Text: files.Backend},
				{Name: "haproxy.cfg (lines for the frontend)", Text: files.Frontend},
			}, err
		},
		Unchecked: "To check HAProxy's configuration against the agent, start the agent with -haproxy-config haproxy.cfg, once for each file of HAProxy's.",
	}
	if files := settings.HAProxyConfig; len(files) > 0 {
		c.Findings = func() (lines []string, err error) {
			findings, err := haproxy.Check(haproxy.Describe(s.Router), haproxy.Sources{Configs: files, Engine: p.HAProxy.Engine})
			for _, f := range findings {
				lines = append(lines, f.Text())
			}
			return lines, err
		}
	}
	return inspect.New(c)
}

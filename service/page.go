package service

import (
	"strings"

	"github.com/spoke-go/spoke/haproxy"
	"github.com/spoke-go/spoke/inspect"
	"github.com/spoke-go/spoke/spoe"
)

// newPage returns the live page. It costs next to nothing while no browser has it
// open.
func (p *program[C]) newPage(s *Setup[C], agent *spoe.Agent) *inspect.Page {
	settings := s.Settings()
	addr := settings.Listen[0]
	if strings.HasPrefix(addr, ":") {
		addr = "127.0.0.1" + addr
	}
	return inspect.New(inspect.Config{
		Name: p.Name, Addr: addr, Agent: agent, Routes: s.Router.Routes, Secrets: p.Middleware.Trace.Secrets,
		HAProxy: func() ([]inspect.File, error) {
			c := p.haproxyConfig(settings)
			files, err := haproxy.Write(haproxy.Describe(s.Router), c)
			return []inspect.File{
				{Name: "spoe.conf", Text: files.SPOE},
				{Name: "agents.cfg", Text: files.Backend},
				{Name: "haproxy.cfg (lines for the frontend)", Text: files.Frontend},
			}, err
		},
	})
}

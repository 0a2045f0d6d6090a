package haproxytest

import (
	"errors"
	"fmt"

	"github.com/spoke-go/spoke/internal/freeaddr"
)

// ports are the addresses that a configuration asked for by name. Each port
// stays reserved until close, so that no other process of the machine gets it
// before HAProxy binds it, or between two of HAProxy's processes.
type ports struct {
	byName   map[string]string
	first    string // the first name that was asked for
	releases []func() error
}

// addr returns 127.0.0.1:port for a name.
func (p *ports) addr(name string) (string, error) {
	if addr, ok := p.byName[name]; ok {
		return addr, nil
	}
	addr, release, err := freeaddr.Reserve()
	if err != nil {
		return "", fmt.Errorf("an address for %q: %w", name, err)
	}
	p.releases = append(p.releases, release)
	if p.byName == nil {
		p.byName, p.first = map[string]string{}, name
	}
	p.byName[name] = addr
	return addr, nil
}

func (p *ports) close() error {
	var errs []error
	for _, release := range p.releases {
		errs = append(errs, release())
	}
	p.releases = nil
	return errors.Join(errs...)
}

package main

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spoke-go/spoke/auth/ldapauth"
	"github.com/spoke-go/spoke/seal"
)

// gate is a configuration, ready for use. A reload makes another one.
type gate struct {
	config    *Config
	keys      *seal.Keyring
	sites     map[string]*site
	providers map[string]*provider
	directory *ldapauth.Directory
	named     string // the claims that rules name
	now       func() time.Time
	log       *slog.Logger
	stop      context.CancelFunc
}

// newGate makes a gate. It asks its providers in the background, and until they answer it
// uses the metadata and keys that an earlier gate has read.
func newGate(c *Config, known *sync.Map, log *slog.Logger, now func() time.Time) (*gate, error) {
	ctx, stop := context.WithCancel(context.Background())
	g := &gate{config: c, sites: make(map[string]*site), providers: make(map[string]*provider), now: now, log: log, stop: stop}
	if len(c.Keys) > 0 {
		var err error
		if g.keys, err = seal.New(c.secrets()); err != nil {
			return nil, err
		}
	}
	named := make(map[string]bool)
	for _, s := range c.Sites {
		for _, r := range s.Rules {
			for name := range r.Claims {
				named[name] = true
			}
		}
	}
	claims := slices.Sorted(maps.Keys(named))
	g.named = strings.Join(claims, " ")
	for _, pc := range c.Providers {
		p, err := newProvider(pc, claims, known, log, now)
		if err != nil {
			stop()
			return nil, err
		}
		g.providers[pc.Name] = p
	}
	if c.LDAP.URL != "" {
		var err error
		if g.directory, err = ldapauth.New(c.LDAP, now); err != nil {
			stop()
			return nil, err
		}
	}
	for _, sc := range c.Sites {
		s := &site{SiteConfig: sc, provider: g.providers[sc.Provider], rules: sc.Rules}
		if len(s.rules) == 0 {
			s.rules = []RuleConfig{{}}
		}
		for _, h := range sc.Hosts {
			g.sites[h] = s
		}
	}
	for _, p := range g.providers {
		go p.watch(ctx) // ends with Close
	}
	return g, nil
}

// Close ends the background work.
func (g *gate) Close() error {
	g.stop()
	if g.directory != nil {
		_ = g.directory.Close()
	}
	for _, p := range g.providers {
		<-p.ended
	}
	return nil
}

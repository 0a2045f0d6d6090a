package main

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spoke-go/spoke/auth/bearer"
	"github.com/spoke-go/spoke/auth/ldapauth"
	"github.com/spoke-go/spoke/auth/openid"
	"github.com/spoke-go/spoke/auth/session"
	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/seal"
)

// gate is a configuration, ready for use. A reload makes another one.
type gate struct {
	config    *Config
	keys      *seal.Keyring // nil without keys, and then no site has a provider
	sites     codec.Hosts[*site]
	providers map[string]*provider
	directory *ldapauth.Directory
	sessions  session.Cookie
	stop      context.CancelFunc
	running   sync.WaitGroup // providers
}

// provider is a ProviderConfig in use.
type provider struct {
	*openid.Provider
	name   string
	tokens *bearer.Verifier
}

// newGate makes a gate. It asks its providers in the background; until they answer it uses
// the metadata and keys of the last gate, if there is one.
func newGate(c *Config, last *gate, log *slog.Logger, now func() time.Time) (*gate, error) {
	g := &gate{config: c, providers: make(map[string]*provider)}
	var err error
	if len(c.Keys) > 0 {
		if g.keys, err = seal.New(c.secrets()); err != nil {
			return nil, err
		}
	}
	if c.LDAP.URL != "" {
		if g.directory, err = ldapauth.New(c.LDAP, now); err != nil {
			return nil, err
		}
	}
	claims := c.claims()
	g.sessions = session.Cookie{Name: cookieName, Keys: g.keys, Config: c.Session, Claims: strings.Join(claims, " ")}
	for _, pc := range c.Providers {
		log := log.With("provider", pc.Name)
		pc.OpenID.Claims = claims
		p, err := openid.New(pc.OpenID, log, now)
		if err != nil {
			return nil, fmt.Errorf("provider %s: %w", pc.Name, err)
		}
		if last != nil && last.providers[pc.Name] != nil {
			p.Adopt(last.providers[pc.Name].Provider)
		}
		g.providers[pc.Name] = &provider{p, pc.Name, bearer.New(p, pc.Bearer, log, now)}
	}
	for _, sc := range c.Sites {
		s := &site{SiteConfig: sc, provider: g.providers[sc.Provider]}
		if len(s.Rules) == 0 {
			s.Rules = []RuleConfig{{}}
		}
		for _, h := range sc.Hosts {
			if err := g.sites.Add(h, s); err != nil {
				return nil, err
			}
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	g.stop = stop
	for _, p := range g.providers {
		g.running.Go(func() { p.Run(ctx) }) // ends with Close
	}
	return g, nil
}

// claims returns the claims that rules name.
func (c *Config) claims() []string {
	named := make(map[string]string)
	for _, s := range c.Sites {
		for _, r := range s.Rules {
			maps.Copy(named, r.Claims)
		}
	}
	return slices.Sorted(maps.Keys(named))
}

// Close ends the background work.
func (g *gate) Close() error {
	g.stop()
	if g.directory != nil {
		_ = g.directory.Close()
	}
	g.running.Wait()
	return nil
}

package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/spoke-go/spoke/auth/bearer"
	"github.com/spoke-go/spoke/auth/ldapauth"
	"github.com/spoke-go/spoke/auth/openid"
	"github.com/spoke-go/spoke/auth/revoked"
	"github.com/spoke-go/spoke/auth/session"
	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/seal"
	"github.com/spoke-go/spoke/service"
)

// Config are the agent's own settings.
type Config struct {
	Keys        []service.Secret `value:"SECRET" help:"secrets that encrypt cookies, of 32 random bytes or more: the first encrypts, all decrypt. To rotate, put a new one in front and remove the old one when the longest session has ended"`
	PagesListen string           `conf:",fixed" value:"ADDRESS" help:"address of the pages for login, callback and logout, for HAProxy: host:port or unix:/path"`
	Session     session.Config
	Providers   []ProviderConfig `help:"OpenID Connect providers"`
	LDAP        ldapauth.Config
	Redis       revoked.Config
	Sites       []SiteConfig `help:"sites and their rules; requests for other hosts get 403"`
	LogAll      bool         `help:"log a line for every decision (at debug level, always)"`
}

// ProviderConfig is an OpenID Connect provider and this agent as its client.
type ProviderConfig struct {
	Name   string        `help:"name for sites[].provider; the redirect address is https://HOST/.sso/callback/NAME"`
	OpenID openid.Config `conf:",inline"`
	Bearer bearer.Config `conf:",inline"`
}

// SiteConfig is one or several hosts that have the same rules.
type SiteConfig struct {
	Hosts    []string     `help:"host names, without port; *.example.com for those below example.com"`
	Provider string       `help:"the provider where browsers log in; without one they cannot"`
	Bearer   bool         `help:"accept the provider's bearer tokens"`
	Basic    bool         `help:"accept Basic authentication, checked by LDAP"`
	Rules    []RuleConfig `help:"the first whose paths, methods and networks match decides; without one the answer is 403. A site without rules requires a login"`
}

// RuleConfig is one rule.
type RuleConfig struct {
	Paths    []string          `help:"/path exactly, /path/ and all below it; default: all"`
	Methods  []string          `help:"default: all"`
	Networks []netip.Prefix    `help:"networks of visitors; default: all"`
	Do       string            `oneof:"login,allow,deny" help:"login, allow or deny; default: login"`
	Groups   []string          `help:"groups of which the user must be in one"`
	Claims   map[string]string `help:"claims that the user must have, all of them: the value, or one of a list"`
}

var defaults = Config{
	PagesListen: "127.0.0.1:9080",
	Session:     session.Defaults(),
	LDAP:        ldapauth.Defaults(),
	Redis:       revoked.Defaults(),
}

// Validate refuses settings that contradict each other.
func (c Config) Validate() error {
	if len(c.Providers) > 0 || len(c.Keys) > 0 {
		if _, err := seal.New(c.secrets()); err != nil {
			return service.Wrong("keys", "%v", err)
		}
	}
	var hosts codec.Hosts[int]
	for i, s := range c.Sites {
		key := fmt.Sprintf("sites[%d]", i)
		switch p := c.provider(s.Provider); {
		case len(s.Hosts) == 0:
			return service.Wrong(key+".hosts", "is empty: write a host name")
		case s.Provider != "" && p == nil:
			return service.Wrong(key+".provider", "%q is none of providers", s.Provider)
		case s.Bearer && (p == nil || len(p.Bearer.Audiences) == 0):
			return service.Wrong(key+".bearer", "needs a provider with audiences: a token for another service could be used here otherwise")
		case s.Basic && c.LDAP.URL == "":
			return service.Wrong(key+".basic", "needs ldap.url")
		}
		for _, h := range s.Hosts {
			if err := hosts.Add(h, i); err != nil {
				return service.Wrong(key+".hosts", "%v", err)
			}
		}
		for j, r := range s.Rules {
			for _, p := range r.Paths {
				if clean, ok := codec.CleanPath(p); !ok || clean != p {
					return service.Wrong(fmt.Sprintf("%s.rules[%d].paths", key, j), "%q is no plain path: begin it with '/', without %%, ';', '//' and '..'", p)
				}
			}
			if (r.Do == "allow" || r.Do == "deny") && len(r.Groups)+len(r.Claims) > 0 {
				return service.Wrong(fmt.Sprintf("%s.rules[%d].do", key, j), "%q does not look at groups and claims: remove them, or write login", r.Do)
			}
		}
	}
	return nil
}

// Validate checks one provider's settings.
func (p ProviderConfig) Validate() error {
	switch {
	case p.Name == "" || strings.Trim(p.Name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "":
		return service.Wrong("name", "%q is no name: use small letters, digits and '-'", p.Name)
	case p.OpenID.ClientID == "":
		return service.Wrong("client-id", "is empty")
	}
	return nil
}

func (c *Config) provider(name string) *ProviderConfig {
	if i := slices.IndexFunc(c.Providers, func(p ProviderConfig) bool { return p.Name == name }); i >= 0 {
		return &c.Providers[i]
	}
	return nil
}

func (c *Config) secrets() (s []string) {
	for _, k := range c.Keys {
		s = append(s, k.Reveal())
	}
	return s
}

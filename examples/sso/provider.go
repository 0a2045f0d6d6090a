package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/spoke-go/spoke/service"
)

// knownAlgorithms are those that a provider's public keys verify. Algorithms with a shared
// key are not among them: a public key could be taken for that.
var knownAlgorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

// How long one request to a provider may take, how often it is asked for its metadata and
// keys, and how soon again after a failure at most.
const (
	providerTimeout = 10 * time.Second
	watchInterval   = 5 * time.Minute
	watchRetry      = 30 * time.Second
)

// provider is an OpenID Connect provider. It works as soon as the provider has answered once.
type provider struct {
	ProviderConfig
	client     *http.Client
	algorithms []string
	named      []string
	about      *issuer
	cache      *cache // of bearer tokens
	log        *slog.Logger
	now        func() time.Time
	up         atomic.Bool // whether it answered when it was last asked
	ended      chan struct{}
}

// issuer has the metadata and the keys that an issuer publishes.
type issuer struct {
	found atomic.Pointer[metadata]
	keys  *keySet
}

type metadata struct {
	oidc          *oidc.Provider
	Issuer        string `json:"issuer"`
	EndSession    string `json:"end_session_endpoint"`
	Introspection string `json:"introspection_endpoint"`
	TellsIssuer   bool   `json:"authorization_response_iss_parameter_supported"`
	Keys          string `json:"jwks_uri"`
}

// issuers keeps the issuers' metadata and keys from one configuration to the next.
type issuers struct {
	mu sync.Mutex // guards by
	by map[string]*issuer
}

func (i *issuers) about(url, ca string) *issuer {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.by == nil {
		i.by = make(map[string]*issuer)
	}
	key := url + " " + ca
	if i.by[key] == nil {
		i.by[key] = &issuer{keys: new(keySet)}
	}
	return i.by[key]
}

func newProvider(c ProviderConfig, named []string, known *issuers, log *slog.Logger, now func() time.Time) (*provider, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	roots, err := service.CertPool(c.CA)
	if err != nil {
		return nil, fmt.Errorf("provider %s: ca: %w", c.Name, err)
	}
	transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	p := &provider{ProviderConfig: c, named: named, about: known.about(c.Issuer, c.CA), cache: newCache(now), log: log.With("provider", c.Name), now: now,
		client: &http.Client{Transport: transport, Timeout: providerTimeout}, ended: make(chan struct{})}
	if p.Scopes = c.Scopes; len(p.Scopes) == 0 {
		p.Scopes = []string{"openid", "profile", "email", "offline_access"}
	}
	if p.algorithms = c.Algorithms; len(p.algorithms) == 0 {
		p.algorithms = []string{"RS256", "PS256", "ES256", "EdDSA"}
	}
	return p, nil
}

// watch asks the provider for its metadata and keys, again and again, until ctx ends.
func (p *provider) watch(ctx context.Context) {
	defer close(p.ended)
	defer p.client.CloseIdleConnections()
	retry := 500 * time.Millisecond
	for first := true; ; first = false {
		wait := watchInterval
		err := p.discover(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			retry = min(2*retry, watchRetry)
			wait = retry
			if p.up.Load() || first {
				p.log.Error("the provider does not answer; it is asked again", "error", err)
			}
		} else {
			retry = 500 * time.Millisecond
			if !p.up.Load() && !first {
				p.log.Info("the provider answers")
			}
		}
		p.up.Store(err == nil)
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

func (p *provider) discover(ctx context.Context) error {
	ctx = oidc.ClientContext(ctx, p.client)
	found, err := oidc.NewProvider(ctx, p.Issuer)
	if err != nil {
		return err
	}
	m := &metadata{oidc: found}
	if err := found.Claims(m); err != nil {
		return err
	}
	if err := p.about.keys.load(ctx, p.client, m.Keys); err != nil {
		return err
	}
	p.about.found.Store(m)
	return nil
}

// errNotFound is that a provider has not answered since the start.
var errNotFound = errors.New("the provider has not answered yet")

func (p *provider) metadata() (*metadata, error) {
	if m := p.about.found.Load(); m != nil {
		return m, nil
	}
	return nil, errNotFound
}

// verifier checks tokens of the provider. Its clock is slow, so that tokens which have
// just expired are taken; those that are not valid yet have go-oidc's own leeway.
func (p *provider) verifier(client string) *oidc.IDTokenVerifier {
	return oidc.NewVerifier(p.Issuer, p.about.keys.by(p.client, p.about, p.now), &oidc.Config{
		ClientID: client, SkipClientIDCheck: client == "", SupportedSigningAlgs: p.algorithms,
		Now: func() time.Time { return p.now().Add(-leeway) },
	})
}

// oauth is the provider's client for a host.
func (p *provider) oauth(m *metadata, host string) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.ClientID, ClientSecret: p.ClientSecret.Reveal(), Endpoint: m.oidc.Endpoint(), Scopes: p.Scopes,
		RedirectURL: "https://" + host + callbackPath + p.Name,
	}
}

// take puts what the provider's tokens say into a session. nonce is empty for a refresh,
// whose ID token may be missing.
func (p *provider) take(ctx context.Context, m *metadata, s *session, tokens *oauth2.Token, nonce string, refresh time.Duration) error {
	raw, _ := tokens.Extra("id_token").(string)
	claims := make(map[string]any)
	switch {
	case raw != "":
		id, err := p.verifier(p.ClientID).Verify(ctx, raw)
		if err != nil {
			return err
		}
		if nonce != "" && id.Nonce != nonce {
			return errors.New("the ID token is of another login: its nonce differs")
		}
		if id.AccessTokenHash != "" {
			if err := id.VerifyAccessToken(tokens.AccessToken); err != nil {
				return err
			}
		}
		if err := id.Claims(&claims); err != nil {
			return err
		}
		s.idToken = raw
	case nonce != "":
		return errors.New("the provider gave no ID token: is openid among the scopes?")
	}
	if p.UserInfo {
		info, err := m.oidc.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
		if err != nil {
			return err
		}
		if want := text(claims["sub"]); want != "" && info.Subject != want || s.Subject != "" && info.Subject != s.Subject {
			return errors.New("the userinfo is about another user than the ID token")
		}
		if err := info.Claims(&claims); err != nil {
			return err
		}
	}
	if len(claims) > 0 {
		id := identityOf(claims, p.UserClaim, p.GroupsClaim, p.named)
		if id.User == "" || s.Subject != "" && id.Subject != s.Subject {
			return fmt.Errorf("the provider names no user, or another one (claims %v)", slices.Sorted(maps.Keys(claims)))
		}
		s.identity = id
	}
	if sid := text(claims["sid"]); sid != "" {
		s.SID = sid
	}
	if tokens.RefreshToken != "" {
		s.refreshToken = tokens.RefreshToken
	}
	if s.refreshToken != "" {
		s.Confirmed, s.Confirm = p.now().Unix(), p.now().Add(refresh).Unix()
	}
	return nil
}

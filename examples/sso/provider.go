package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"

	"github.com/spoke-go/spoke/service"
)

// Bounds of a request to a provider: its time, and the bytes of its answer.
const (
	providerTimeout = 10 * time.Second
	maxAnswer       = 1 << 20
)

// provider is an OpenID Connect provider. It can be used once the provider has answered.
type provider struct {
	ProviderConfig
	client      *http.Client
	named       []string
	about       *service.Refreshed[*issuer]
	remembered  *cache // users of bearer tokens
	refused     *cache // opaque tokens: they must not drive out good ones
	asking      slots  // introspections of new tokens
	askingAgain slots  // introspections of tokens that were good before
	one         singleflight.Group
	log         *slog.Logger
	now         func() time.Time
	ended       chan struct{}
}

// issuer is the metadata and the keys that a provider publishes.
type issuer struct {
	oidc          *oidc.Provider
	keys          []jose.JSONWebKey
	EndSession    string `json:"end_session_endpoint"`
	Introspection string `json:"introspection_endpoint"`
	NamesIssuer   bool   `json:"authorization_response_iss_parameter_supported"`
	KeySet        string `json:"jwks_uri"`
}

// newProvider returns a provider. known keeps the issuers from one configuration to the next.
func newProvider(c ProviderConfig, named []string, known *sync.Map, log *slog.Logger, now func() time.Time) (*provider, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	roots, err := service.CertPool(c.CA)
	if err != nil {
		return nil, fmt.Errorf("provider %s: ca: %w", c.Name, err)
	}
	transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	if len(c.Scopes) == 0 {
		c.Scopes = []string{"openid", "profile", "email", "offline_access"}
	}
	if len(c.Algorithms) == 0 {
		c.Algorithms = []jose.SignatureAlgorithm{jose.RS256, jose.PS256, jose.ES256, jose.EdDSA}
	}
	log = log.With("provider", c.Name)
	p := &provider{ProviderConfig: c, named: named, remembered: newCache(now), refused: newCache(now),
		asking: make(slots, maxIntrospections), askingAgain: make(slots, maxIntrospections), log: log, now: now,
		client: &http.Client{Transport: transport, Timeout: providerTimeout}, ended: make(chan struct{})}
	key := c.Issuer + " " + c.CA
	p.about = &service.Refreshed[*issuer]{Log: log, Now: now, Read: func(ctx context.Context) (*issuer, error) {
		i, err := p.discover(ctx)
		if err == nil {
			known.Store(key, i)
		}
		return i, err
	}}
	if i, ok := known.Load(key); ok {
		p.about.Store(i.(*issuer))
	}
	return p, nil
}

// watch keeps the metadata and the keys up to date until ctx ends.
func (p *provider) watch(ctx context.Context) {
	defer close(p.ended)
	defer p.client.CloseIdleConnections()
	p.about.Run(ctx)
}

// discover asks the provider for its metadata and keys.
func (p *provider) discover(ctx context.Context) (*issuer, error) {
	found, err := oidc.NewProvider(oidc.ClientContext(ctx, p.client), p.Issuer)
	if err != nil {
		return nil, err
	}
	i := &issuer{oidc: found}
	if err := found.Claims(i); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, i.KeySet, nil)
	if err != nil {
		return nil, err
	}
	var set jose.JSONWebKeySet
	if err := p.readJSON(req, &set); err != nil {
		return nil, err
	}
	i.keys = slices.DeleteFunc(set.Keys, func(key jose.JSONWebKey) bool {
		return !key.Valid() || !key.IsPublic() || key.Use != "" && key.Use != "sig"
	})
	return i, nil
}

// readJSON reads the provider's answer to a request.
func (p *provider) readJSON(req *http.Request, v any) error {
	resp, err := p.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", req.URL.Path, resp.Status)
	}
	return json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(v)
}

// errNotFound says that no answer of the provider has come since the start.
var errNotFound = errors.New("the provider has not answered yet")

func (p *provider) metadata() (*issuer, error) {
	if i, ok := p.about.Load(); ok {
		return i, nil
	}
	return nil, errNotFound
}

// VerifySignature implements oidc.KeySet. A token that names an unknown key makes the agent
// read the keys again, at most once in a while: made-up keys cost the provider nothing.
func (p *provider) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	jws, err := jose.ParseSignedCompact(token, p.Algorithms)
	if err != nil {
		return nil, err
	}
	header := jws.Signatures[0].Header
	keys := p.keys(header)
	if len(keys) == 0 && p.about.Again(ctx) {
		keys = p.keys(header)
	}
	for _, key := range keys {
		if payload, err := jws.Verify(&key); err == nil {
			return payload, nil
		}
	}
	return nil, fmt.Errorf("no key of the provider verifies the token, which names %q", header.KeyID)
}

// keys returns the keys that a token with that header may be signed with.
func (p *provider) keys(header jose.Header) (keys []jose.JSONWebKey) {
	i, _ := p.about.Load()
	if i == nil {
		return nil
	}
	for _, key := range i.keys {
		if (header.KeyID == "" || key.KeyID == header.KeyID) && (key.Algorithm == "" || key.Algorithm == header.Algorithm) {
			keys = append(keys, key)
		}
	}
	return keys
}

// verifier checks tokens of the provider. Its clock is slow, so that it takes tokens that
// have just expired; for tokens that are not valid yet go-oidc has a leeway of its own.
func (p *provider) verifier(client string) *oidc.IDTokenVerifier {
	var algorithms []string
	for _, a := range p.Algorithms {
		algorithms = append(algorithms, string(a))
	}
	return oidc.NewVerifier(p.Issuer, p, &oidc.Config{
		ClientID: client, SkipClientIDCheck: client == "", SupportedSigningAlgs: algorithms,
		Now: func() time.Time { return p.now().Add(-leeway) },
	})
}

// oauth is the provider's client for a host.
func (p *provider) oauth(i *issuer, host string) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.ClientID, ClientSecret: p.ClientSecret.Reveal(), Endpoint: i.oidc.Endpoint(), Scopes: p.Scopes,
		RedirectURL: "https://" + host + callbackPath + p.Name,
	}
}

// take puts the content of the provider's tokens into a session. nonce is empty for a
// refresh, whose ID token may be missing.
func (p *provider) take(ctx context.Context, i *issuer, s *session, tokens *oauth2.Token, nonce string, refresh time.Duration) error {
	claims := make(map[string]any)
	if raw, _ := tokens.Extra("id_token").(string); raw != "" {
		if err := p.readIDToken(ctx, raw, tokens.AccessToken, nonce, &claims); err != nil {
			return err
		}
		s.idToken = raw
	} else if nonce != "" {
		return errors.New("the provider gave no ID token: is openid among the scopes?")
	}
	if p.UserInfo {
		info, err := i.oidc.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
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
		if id.Name == "" || s.Subject != "" && id.Subject != s.Subject {
			return fmt.Errorf("the provider names no user, or another one (claims %v)", slices.Sorted(maps.Keys(claims)))
		}
		s.User = id
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

// readIDToken verifies an ID token, and reads its claims.
func (p *provider) readIDToken(ctx context.Context, raw, accessToken, nonce string, claims *map[string]any) error {
	id, err := p.verifier(p.ClientID).Verify(ctx, raw)
	if err != nil {
		return err
	}
	if nonce != "" && id.Nonce != nonce {
		return errors.New("the ID token is of another login: its nonce differs")
	}
	if id.AccessTokenHash != "" {
		if err := id.VerifyAccessToken(accessToken); err != nil {
			return err
		}
	}
	if err := id.Claims(claims); err != nil {
		return err
	}
	if azp, ok := (*claims)["azp"]; ok && azp != p.ClientID {
		return errors.New("the ID token was issued to another client: its azp differs")
	}
	return nil
}

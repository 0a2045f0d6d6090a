package openid

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"github.com/spoke-go/spoke/auth"
	"github.com/spoke-go/spoke/service"
)

// Bounds of a request to a provider: its time, and the bytes of its answer.
const (
	timeout   = 10 * time.Second
	maxAnswer = 1 << 20
)

// Provider is an OpenID Connect provider. Until its first answer to Run, methods that need
// it return auth.ErrUnavailable. Several goroutines may use one.
type Provider struct {
	Config
	client *http.Client
	about  *service.Refreshed[*published]
	now    func() time.Time
}

// generations counts the key sets that all providers of the process read.
var generations atomic.Int64

// published is the metadata and the keys that a provider publishes.
type published struct {
	oidc          *oidc.Provider
	keys          []jose.JSONWebKey
	generation    int64
	KeySet        string `json:"jwks_uri"`
	EndSession    string `json:"end_session_endpoint"`
	Introspection string `json:"introspection_endpoint"`
	NamesIssuer   bool   `json:"authorization_response_iss_parameter_supported"`
}

// New returns a provider. It does not ask the provider yet. now is the clock for tokens.
func New(c Config, log *slog.Logger, now func() time.Time) (*Provider, error) {
	roots, err := service.CertPool(c.CA)
	if err != nil {
		return nil, fmt.Errorf("provider %s: ca: %w", c.Issuer, err)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	p := &Provider{Config: c.withDefaults(), client: &http.Client{Transport: transport, Timeout: timeout}, now: now}
	p.about = &service.Refreshed[*published]{Log: log, Now: now, Read: p.discover}
	return p, nil
}

// Adopt takes the metadata and the keys from another Provider of the same issuer,
// so that a reload of the configuration does not need the provider's answer.
func (p *Provider) Adopt(old *Provider) {
	if i, ok := old.about.Load(); ok && old.Issuer == p.Issuer && old.CA == p.CA {
		p.about.Store(i)
	}
}

// Run keeps the metadata and the keys up to date until ctx ends.
func (p *Provider) Run(ctx context.Context) {
	p.about.Run(ctx)
	p.client.CloseIdleConnections()
}

// Up reports whether the provider answered when it was last asked.
func (p *Provider) Up() bool { return p.about.Up() }

// Generation numbers the keys that were read last. A token that was verified in another
// generation may be signed with a withdrawn key: verify it again.
func (p *Provider) Generation() int64 {
	if i, ok := p.about.Load(); ok {
		return i.generation
	}
	return 0
}

// discover asks the provider for its metadata and keys.
func (p *Provider) discover(ctx context.Context) (*published, error) {
	found, err := oidc.NewProvider(oidc.ClientContext(ctx, p.client), p.Issuer)
	if err != nil {
		return nil, err
	}
	i := &published{oidc: found, generation: generations.Add(1)}
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
func (p *Provider) readJSON(req *http.Request, v any) error {
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

func (p *Provider) published() (*published, error) {
	if i, ok := p.about.Load(); ok {
		return i, nil
	}
	return nil, fmt.Errorf("%w since the start", auth.ErrUnavailable)
}

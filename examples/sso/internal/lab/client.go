package lab

import (
	"cmp"
	"context"
	"time"

	"github.com/zitadel/oidc/v3/pkg/op"
)

// GetClientByClientID implements op.Storage.
func (p *Provider) GetClientByClientID(ctx context.Context, id string) (op.Client, error) {
	c, err := p.Storage.GetClientByClientID(ctx, id)
	return client{c, p}, err
}

// client is the agent as the provider knows it.
type client struct {
	op.Client
	provider *Provider
}

func (c client) RedirectURIs() []string           { return c.provider.atHosts("/.sso/callback/main") }
func (c client) PostLogoutRedirectURIs() []string { return c.provider.atHosts("/.sso/bye") }

func (p *Provider) atHosts(path string) (uris []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, h := range p.hosts {
		uris = append(uris, "https://"+h+path)
	}
	return uris
}

func (c client) IDTokenUserinfoClaimsAssertion() bool { return true }
func (c client) IDTokenLifetime() time.Duration {
	return cmp.Or(time.Duration(c.provider.lifetime.Load()), time.Hour)
}

func (c client) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeJWT }

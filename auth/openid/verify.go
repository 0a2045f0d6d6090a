package openid

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

// Leeway is the maximum difference between the clocks of agents and providers.
const Leeway = 2 * time.Minute

// Verify returns the claims of a valid JWT: the provider signed it, and it is not expired.
// It does not check the audience.
func (p *Provider) Verify(ctx context.Context, token string) (Claims, error) {
	verified, err := p.verifier("").Verify(ctx, token)
	if err != nil {
		return nil, err
	}
	claims := make(Claims)
	return claims, verified.Claims(&claims)
}

// Introspect asks the provider about an access token (RFC 7662). The claims are empty for a
// token that is not active; after an error the token may be good or bad.
func (p *Provider) Introspect(ctx context.Context, token string) (Claims, error) {
	i, err := p.published()
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, i.Introspection, strings.NewReader(url.Values{"token": {token}}.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(url.QueryEscape(p.ClientID), url.QueryEscape(p.ClientSecret.Reveal()))
	claims := make(Claims)
	if err := p.readJSON(req, &claims); err != nil {
		return nil, err
	}
	iss, told := claims["iss"].(string)
	if active, _ := claims["active"].(bool); !active || told && iss != p.Issuer {
		return nil, nil
	}
	return claims, nil
}

// verifier checks tokens for one client, or for all. Its clock is late, so that it accepts
// tokens that just expired; for tokens that are not valid yet, go-oidc has its own leeway.
func (p *Provider) verifier(client string) *oidc.IDTokenVerifier {
	var algorithms []string
	for _, a := range p.Algorithms {
		algorithms = append(algorithms, string(a))
	}
	return oidc.NewVerifier(p.Issuer, keySet{p}, &oidc.Config{
		ClientID: client, SkipClientIDCheck: client == "", SupportedSigningAlgs: algorithms,
		Now: func() time.Time { return p.now().Add(-Leeway) },
	})
}

// keySet is the provider's keys for go-oidc, whose own set asks the provider again for each
// unknown key: made-up keys would cost the provider a request each.
type keySet struct{ p *Provider }

// VerifySignature implements oidc.KeySet.
func (k keySet) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	jws, err := jose.ParseSignedCompact(token, k.p.Algorithms)
	if err != nil {
		return nil, err
	}
	header := jws.Signatures[0].Header
	keys := k.named(header)
	if len(keys) == 0 && k.p.about.Again(ctx) {
		keys = k.named(header)
	}
	for _, key := range keys {
		if payload, err := jws.Verify(&key); err == nil {
			return payload, nil
		}
	}
	return nil, fmt.Errorf("no key of the provider verifies the token, which names %q", header.KeyID)
}

// named returns the keys that a token with that header may be signed with.
func (k keySet) named(header jose.Header) (keys []jose.JSONWebKey) {
	i, ok := k.p.about.Load()
	if !ok {
		return nil
	}
	for _, key := range i.keys {
		if (header.KeyID == "" || key.KeyID == header.KeyID) && (key.Algorithm == "" || key.Algorithm == header.Algorithm) {
			keys = append(keys, key)
		}
	}
	return keys
}

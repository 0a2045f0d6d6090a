package lab

import (
	"context"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// Sign signs claims with the provider's key, as the provider signs tokens.
func (p *Provider) Sign(claims []byte) (string, error) {
	key, err := p.SigningKey(context.Background())
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: key.SignatureAlgorithm(), Key: jose.JSONWebKey{Key: key.Key(), KeyID: key.ID()}}, nil)
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(claims)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

// OpaqueToken returns a user's access token that is not a JWT.
func (p *Provider) OpaqueToken(user string) (string, error) {
	id, _, err := p.CreateAccessToken(context.Background(), tokenRequest("id-"+user))
	if err != nil {
		return "", err
	}
	return op.CreateBearerToken(id, "id-"+user, p.crypto)
}

// tokenRequest is the subject of a request for a token.
type tokenRequest string

func (r tokenRequest) GetSubject() string    { return string(r) }
func (r tokenRequest) GetAudience() []string { return []string{ClientID} }
func (r tokenRequest) GetScopes() []string   { return []string{"openid", "profile", "email"} }

// TokenID returns the id that the provider has for an OpaqueToken.
func (p *Provider) TokenID(token string) string {
	text, err := p.crypto.Decrypt(token)
	if err != nil {
		return ""
	}
	id, _, _ := strings.Cut(text, ":")
	return id
}

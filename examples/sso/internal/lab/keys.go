package lab

import (
	"context"
	"crypto/rand"
	"crypto/rsa"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// signingKey is a key that the provider signs with instead of the library's own.
type signingKey struct {
	id      string
	private *rsa.PrivateKey
}

func (k *signingKey) ID() string                                  { return k.id }
func (k *signingKey) SignatureAlgorithm() jose.SignatureAlgorithm { return jose.RS256 }
func (k *signingKey) Key() any                                    { return k.private }

// publicKey is the part of it that the provider publishes.
type publicKey struct{ *signingKey }

func (k publicKey) Algorithm() jose.SignatureAlgorithm { return jose.RS256 }
func (k publicKey) Use() string                        { return "sig" }
func (k publicKey) Key() any                           { return &k.private.PublicKey }

// Rotate makes the provider sign with a new key, and publish no other.
func (p *Provider) Rotate() error {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.key = &signingKey{rand.Text(), private}
	return nil
}

func (p *Provider) rotated() *signingKey {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.key
}

// SigningKey implements op.Storage.
func (p *Provider) SigningKey(ctx context.Context) (op.SigningKey, error) {
	if key := p.rotated(); key != nil {
		return key, nil
	}
	return p.Storage.SigningKey(ctx)
}

// KeySet implements op.Storage.
func (p *Provider) KeySet(ctx context.Context) ([]op.Key, error) {
	if key := p.rotated(); key != nil {
		return []op.Key{publicKey{key}}, nil
	}
	return p.Storage.KeySet(ctx)
}

package main_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestAlgorithmConfusion: a token says how to verify it, and is not believed.
func TestAlgorithmConfusion(t *testing.T) {
	w := newWorld(t, newest(t))
	b := newBrowser(t)
	private, err := w.provider.SigningKey(t.Context())
	require.NoError(t, err)
	public := &private.Key().(*rsa.PrivateKey).PublicKey
	claims, err := json.Marshal(w.claims(nil))
	require.NoError(t, err)
	sign := func(alg jose.SignatureAlgorithm, key any, more map[jose.HeaderKey]any, embed bool) string {
		o := &jose.SignerOptions{EmbedJWK: embed, ExtraHeaders: map[jose.HeaderKey]any{}}
		if !embed {
			o.ExtraHeaders["kid"] = private.ID()
		}
		for k, v := range more {
			o.ExtraHeaders[k] = v
		}
		s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, o)
		require.NoError(t, err)
		signed, err := s.Sign(claims)
		require.NoError(t, err)
		text, err := signed.CompactSerialize()
		require.NoError(t, err)
		return text
	}
	pkix, err := x509.MarshalPKIXPublicKey(public)
	require.NoError(t, err)
	own, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	elliptical, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	none := func(alg string) string {
		return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"alg":%q,"kid":%q}`, alg, private.ID())) + "." + base64.RawURLEncoding.EncodeToString(claims) + "."
	}
	w.api(b, "/", sign(jose.RS256, private.Key(), nil, false)).shows(t, w.wiki+"/", "alice")
	for name, token := range map[string]string{
		"none":                         none("none"),
		"None":                         none("None"),
		"no algorithm":                 none(""),
		"HS256, the public key as PEM": sign(jose.HS256, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pkix}), nil, false),
		"HS256, the public key":        sign(jose.HS256, pkix, nil, false),
		"HS256, the key's id":          sign(jose.HS256, []byte(private.ID()+private.ID()), nil, false),
		"RS384, not named":             sign(jose.RS384, private.Key(), nil, false),
		"another key":                  sign(jose.RS256, own, nil, false),
		"a key of its own inside":      sign(jose.RS256, own, nil, true),
		"a key at its own address":     sign(jose.RS256, own, map[jose.HeaderKey]any{"jku": w.server.URL + "/evil", "x5u": w.server.URL + "/evil"}, false),
		"ES256 for the RSA key":        sign(jose.ES256, elliptical, nil, false),
	} {
		assert.Equal(t, 401, w.api(b, "/", token).status, name)
	}
}

// TestKeyFlood: tokens of unknown keys have the provider asked once in a while, and those
// of known keys go on.
func TestKeyFlood(t *testing.T) {
	w := newWorld(t, newest(t))
	own, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	claims, err := json.Marshal(w.claims(nil))
	require.NoError(t, err)
	flood := func(first int) {
		var all sync.WaitGroup
		for i := range 4 {
			all.Go(func() {
				for j := range 25 {
					s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: own, KeyID: fmt.Sprintf("key-%d-%d", first+i, j)}}, nil)
					if err != nil {
						panic(err)
					}
					signed, _ := s.Sign(claims)
					text, _ := signed.CompactSerialize()
					assert.Equal(t, "unauthorized", w.agents[0].ask(t, question{authorization: "Bearer " + text}).Str("txn.decision"))
				}
			})
		}
		all.Wait()
	}
	before := w.provider.Requests()
	good, begun := w.token(nil), time.Now()
	flood(0)
	assert.LessOrEqual(t, w.provider.Requests(), before+2*(1+int64(time.Since(begun)/(10*time.Second))), "two requests each time: metadata and keys")
	assert.Equal(t, "allow", w.agents[0].ask(t, question{authorization: "Bearer " + good}).Str("txn.decision"))
	w.agents[0].clock.forward(11 * time.Second)
	flood(4)
	assert.Greater(t, w.provider.Requests(), before+2, "a new key is found after a while")
}

// Package issuertest is an OpenID Connect provider for tests, as small as can be.
package issuertest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"
)

// Audience is for whom the tokens are.
const Audience = "api"

// Issuer signs with one key at a time.
type Issuer struct {
	URL                       string
	Discoveries, Introspected atomic.Int64 // requests

	t testing.TB

	mu       sync.Mutex // guards the rest
	key      jose.JSONWebKey
	keys     []jose.JSONWebKey
	active   map[string]bool
	token    func(url.Values) (status int, answer map[string]any)
	metadata map[string]any
}

// Start starts an issuer, which ends with the test.
func Start(t testing.TB) *Issuer {
	i := &Issuer{t: t, active: make(map[string]bool), metadata: make(map[string]any)}
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		i.Discoveries.Add(1)
		i.mu.Lock()
		defer i.mu.Unlock()
		about := map[string]any{"issuer": i.URL, "jwks_uri": i.URL + "/keys", "introspection_endpoint": i.URL + "/introspect",
			"authorization_endpoint": i.URL + "/authorize", "token_endpoint": i.URL + "/token", "end_session_endpoint": i.URL + "/end",
			"id_token_signing_alg_values_supported": []string{"ES256"}}
		maps.Copy(about, i.metadata)
		answer(w, http.StatusOK, about)
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		i.mu.Lock()
		defer i.mu.Unlock()
		answer(w, http.StatusOK, jose.JSONWebKeySet{Keys: i.keys})
	})
	mux.HandleFunc("POST /introspect", func(w http.ResponseWriter, r *http.Request) {
		i.Introspected.Add(1)
		i.mu.Lock()
		defer i.mu.Unlock()
		claims := map[string]any{"active": false}
		if token := r.FormValue("token"); i.active[token] {
			claims = map[string]any{"active": true, "aud": Audience, "sub": token}
		}
		answer(w, http.StatusOK, claims)
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		i.mu.Lock()
		serve := i.token
		i.mu.Unlock()
		status, v := serve(r.PostForm)
		answer(w, status, v)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	i.URL = server.URL
	i.Rotate(false)
	return i
}

// Rotate makes a new key. Without keep it withdraws all others.
func (i *Issuer) Rotate(keep bool) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(i.t, err)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.key = jose.JSONWebKey{Key: private, KeyID: rand.Text(), Algorithm: "ES256", Use: "sig"}
	if !keep {
		i.keys = nil
	}
	i.keys = append(i.keys, i.key.Public())
}

// Sign returns a token with the claims of a good one, changed; nil removes one.
func (i *Issuer) Sign(changes map[string]any) string {
	claims := map[string]any{"iss": i.URL, "aud": Audience, "sub": "id-alice", "preferred_username": "alice", "exp": time.Now().Add(time.Hour).Unix()}
	maps.Copy(claims, changes)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	i.mu.Lock()
	defer i.mu.Unlock()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: i.key}, nil)
	require.NoError(i.t, err)
	b, err := json.Marshal(claims)
	require.NoError(i.t, err)
	signed, err := signer.Sign(b)
	require.NoError(i.t, err)
	token, err := signed.CompactSerialize()
	require.NoError(i.t, err)
	return token
}

// Activate makes an opaque token a good one.
func (i *Issuer) Activate(token string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.active[token] = true
}

// Token sets the answer to requests for tokens.
func (i *Issuer) Token(serve func(url.Values) (status int, answer map[string]any)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.token = serve
}

// Metadata changes a value of the metadata.
func (i *Issuer) Metadata(name string, value any) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.metadata[name] = value
}

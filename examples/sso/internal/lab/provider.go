package lab

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// The client that the provider knows, and the users' password.
const (
	ClientID     = "sso"
	ClientSecret = "a secret of the client"
	Password     = "correct horse"
)

// Provider is zitadel/oidc's OpenID Connect provider, with a login page and its own
// session: a user who logged in for one site need not log in for another.
type Provider struct {
	*storage.Storage
	issuer   string
	handler  http.Handler
	callback func(context.Context, string) string
	crypto   op.Crypto
	lifetime atomic.Int64
	requests atomic.Int64

	mu    sync.Mutex // guards the rest
	asked func(*http.Request)
	alter func(claims map[string]any)
	users map[string]*storage.User
	group map[string][]string
	seen  map[string]string // the user of each of its sessions
	hosts []string
	key   *signingKey // after Rotate
}

// NewProvider makes a provider. Its users are alice, in the groups staff and admins, and
// bob, in staff.
func NewProvider(issuer string) (*Provider, error) {
	p := &Provider{issuer: issuer, seen: make(map[string]string),
		users: make(map[string]*storage.User), group: map[string][]string{"alice": {"staff", "admins"}, "bob": {"staff"}}}
	for name := range p.group {
		p.users["id-"+name] = &storage.User{ID: "id-" + name, Username: name, Password: Password, Email: name + "@example.com", EmailVerified: true}
	}
	p.Storage = storage.NewStorageWithClients(p, map[string]*storage.Client{ClientID: storage.WebClient(ClientID, ClientSecret)})
	config := &op.Config{CryptoKey: sha256.Sum256([]byte(issuer)), CodeMethodS256: true, AuthMethodPost: true, GrantTypeRefreshToken: true,
		DefaultLogoutRedirectURI: "/logged-out"}
	o, err := op.NewProvider(config, p, op.StaticIssuer(issuer), op.WithAllowInsecure(), op.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		return nil, err
	}
	p.crypto = o.Crypto()
	p.callback = op.AuthCallbackURL(o)
	interceptor := op.NewIssuerInterceptor(o.IssuerFromRequest)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login/username", interceptor.HandlerFunc(p.showLogin))
	mux.HandleFunc("POST /login/username", interceptor.HandlerFunc(p.takeLogin))
	mux.Handle("/", o)
	p.handler = mux
	return p, nil
}

// ServeHTTP serves the provider.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.requests.Add(1)
	p.mu.Lock()
	asked, alter := p.asked, p.alter
	p.mu.Unlock()
	if asked != nil {
		asked(r)
	}
	if alter != nil && r.URL.Path == "/oauth/token" {
		p.serveAltered(w, r, alter)
		return
	}
	if r.URL.Path == "/end_session" { // the library ends tokens, not the login page's session
		if c, err := r.Cookie("login"); err == nil {
			p.mu.Lock()
			delete(p.seen, c.Value)
			p.mu.Unlock()
		}
	}
	p.handler.ServeHTTP(w, r)
}

// SetHosts names the hosts of the sites that may log in, each with its port.
func (p *Provider) SetHosts(hosts ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hosts = hosts
}

// SetAsked sets a func that is called with each request, before the provider answers it.
func (p *Provider) SetAsked(asked func(*http.Request)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = asked
}

// SetAlter sets a func that alters the claims of ID tokens before the provider signs them.
func (p *Provider) SetAlter(alter func(claims map[string]any)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.alter = alter
}

// serveAltered answers a request for tokens with an altered ID token.
func (p *Provider) serveAltered(w http.ResponseWriter, r *http.Request, alter func(map[string]any)) {
	answer := httptest.NewRecorder()
	p.handler.ServeHTTP(answer, r)
	var tokens map[string]any
	if err := json.Unmarshal(answer.Body.Bytes(), &tokens); err == nil {
		if text, ok := tokens["id_token"].(string); ok {
			if tokens["id_token"], err = p.altered(text, alter); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(answer.Code)
	_ = json.NewEncoder(w).Encode(tokens) // the agent may be gone
}

func (p *Provider) altered(token string, alter func(map[string]any)) (string, error) {
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return "", err
	}
	claims := make(map[string]any)
	if err := json.Unmarshal(jws.UnsafePayloadWithoutVerification(), &claims); err != nil {
		return "", err
	}
	alter(claims)
	b, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	return p.Sign(b)
}

// Requests returns the number of requests to the provider.
func (p *Provider) Requests() int64 { return p.requests.Load() }

// SetLifetime changes the lifetime of ID tokens from an hour.
func (p *Provider) SetLifetime(d time.Duration) { p.lifetime.Store(int64(d)) }

// SetGroups changes a user's groups.
func (p *Provider) SetGroups(user string, groups ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.group[user] = groups
}

// The users, for the library's storage.

// GetUserByID implements storage.UserStore.
func (p *Provider) GetUserByID(id string) *storage.User { return p.users[id] }

// GetUserByUsername implements storage.UserStore.
func (p *Provider) GetUserByUsername(name string) *storage.User { return p.users["id-"+name] }

// ExampleClientID implements storage.UserStore.
func (p *Provider) ExampleClientID() string { return "service" }

func (p *Provider) groupsOf(id string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.group[strings.TrimPrefix(id, "id-")])
}

// SetUserinfoFromRequest implements op.CanSetUserinfoFromRequest: it adds the groups.
func (p *Provider) SetUserinfoFromRequest(ctx context.Context, info *oidc.UserInfo, r op.IDTokenRequest, scopes []string) error {
	if err := p.Storage.SetUserinfoFromRequest(ctx, info, r, scopes); err != nil {
		return err
	}
	info.AppendClaims("groups", p.groupsOf(r.GetSubject()))
	return nil
}

// GetPrivateClaimsFromScopes implements op.Storage: claims of access tokens.
func (p *Provider) GetPrivateClaimsFromScopes(_ context.Context, user, _ string, _ []string) (map[string]any, error) {
	return map[string]any{"groups": p.groupsOf(user), "preferred_username": strings.TrimPrefix(user, "id-")}, nil
}

// SetIntrospectionFromToken implements op.Storage: it adds the audience and the groups.
func (p *Provider) SetIntrospectionFromToken(ctx context.Context, i *oidc.IntrospectionResponse, token, subject, client string) error {
	if err := p.Storage.SetIntrospectionFromToken(ctx, i, token, subject, client); err != nil {
		return err
	}
	i.Audience = []string{client}
	i.Claims = map[string]any{"groups": p.groupsOf(subject)}
	return nil
}

package lab

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"html"
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

// Provider is zitadel/oidc's OpenID Connect provider, with a login page and with a session
// of its own: a user who has logged in for one site need not log in for another.
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

// SetAlter sets a func that alters the claims of ID tokens; the provider signs them then.
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
	_ = json.NewEncoder(w).Encode(tokens) // the agent may have gone
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

// Requests is how many requests the provider has had.
func (p *Provider) Requests() int64 { return p.requests.Load() }

// SetLifetime changes the lifetime of ID tokens from an hour.
func (p *Provider) SetLifetime(d time.Duration) { p.lifetime.Store(int64(d)) }

// SetGroups changes a user's groups.
func (p *Provider) SetGroups(user string, groups ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.group[user] = groups
}

func (p *Provider) showLogin(w http.ResponseWriter, r *http.Request) {
	id := r.FormValue("authRequestID")
	if c, err := r.Cookie("login"); err == nil {
		p.mu.Lock()
		user := p.seen[c.Value]
		p.mu.Unlock()
		if user != "" && p.CheckUsernamePassword(user, Password, id) == nil {
			http.Redirect(w, r, p.callback(r.Context(), id), http.StatusFound)
			return
		}
	}
	p.form(w, id, "")
}

func (p *Provider) takeLogin(w http.ResponseWriter, r *http.Request) {
	id, user := r.FormValue("id"), r.FormValue("username")
	if err := p.CheckUsernamePassword(user, r.FormValue("password"), id); err != nil {
		p.form(w, id, err.Error())
		return
	}
	session := fmt.Sprintf("%x", sha256.Sum256([]byte(id+user)))
	p.mu.Lock()
	p.seen[session] = user
	p.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: "login", Value: session, Path: "/", HttpOnly: true})
	http.Redirect(w, r, p.callback(r.Context(), id), http.StatusFound)
}

func (p *Provider) form(w http.ResponseWriter, id, wrong string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, `<!doctype html><title>Login</title><body style="font:16px/1.6 system-ui,sans-serif;max-width:22rem;margin:4rem auto">
<h1>Log in</h1>
<p>This is the OpenID Connect provider at %s.
<form method="post" action="/login/username"><input type="hidden" name="id" value="%s">
<p><label>Name<br><input name="username" id="username" autofocus></label>
<p><label>Password<br><input name="password" id="password" type="password"></label>
<p><button id="submit">Log in</button> <span style="color:#b00">%s</span></form></body>
`, html.EscapeString(p.issuer), html.EscapeString(id), html.EscapeString(wrong))
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

// Sign signs claims with the provider's key, as a token of the provider's own.
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

// OpaqueToken returns an access token of a user's that is no JWT.
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

// TokenID returns the id that the provider has for an OpaqueToken.
func (p *Provider) TokenID(token string) string {
	text, err := p.crypto.Decrypt(token)
	if err != nil {
		return ""
	}
	id, _, _ := strings.Cut(text, ":")
	return id
}

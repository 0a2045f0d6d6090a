package main

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/spoke-go/spoke/codec"
	"golang.org/x/oauth2"
)

// attempt is a login that has begun, in a cookie of its own: two tabs may log in at once.
type attempt struct {
	State    string `json:"s"`
	Nonce    string `json:"n"`
	Verifier string `json:"v"`
	Provider string `json:"p"`
	Return   string `json:"r"`
}

const noAnswer = "The login service does not answer. Try again in a moment."

const (
	attemptTime   = 10 * time.Minute
	attemptPrefix = cookieName + "-login-"
	maxAttempts   = 4
)

func attemptCookie(state string) string { return attemptPrefix + state[:8] }

// login sends a browser to the provider.
func (p *pages) login(v *visit) {
	if v.loops() {
		return
	}
	p.begin(v, v.returnPath())
}

func (p *pages) begin(v *visit, back string) {
	i, err := v.site.provider.metadata()
	if err != nil {
		v.fail(http.StatusServiceUnavailable, noAnswer)
		return
	}
	v.dropAttempts()
	a := attempt{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Provider: v.site.provider.Name, Return: back}
	b, _ := json.Marshal(a)
	v.set(attemptCookie(a.State), v.gate.keys.Seal(b, v.now.Add(attemptTime), "login", v.host.Name), attemptTime)
	v.leave(v.site.provider.oauth(i, v.host.String()).AuthCodeURL(a.State, oidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier)))
}

// dropAttempts deletes the cookies of logins that were not finished, once they are many.
func (v *visit) dropAttempts() {
	var names []string
	for pair := range strings.SplitSeq(v.cookie(), ";") {
		if name, _, _ := strings.Cut(strings.TrimSpace(pair), "="); strings.HasPrefix(name, attemptPrefix) {
			names = append(names, name)
		}
	}
	for i := 0; len(names) >= maxAttempts && i < len(names) && i < 32; i++ {
		v.set(names[i], "", -1)
	}
}

// attempt returns the login that a callback belongs to, and deletes its cookie.
func (v *visit) attempt() (a attempt, err error) {
	state := v.URL.Query().Get("state")
	if len(state) != len(rand.Text()) {
		return a, errors.New("the state is none of this agent's")
	}
	name := attemptCookie(state)
	text, found := codec.Cookie(v.cookie(), name)
	if !found {
		return a, errors.New("the browser has no cookie of this login")
	}
	v.set(name, "", -1)
	b, ok := v.gate.keys.Open(text, v.now, "login", v.host.Name)
	switch {
	case !ok || json.Unmarshal(b, &a) != nil:
		return a, errors.New("the login has taken too long, or its cookie does not open")
	case subtle.ConstantTimeCompare([]byte(a.State), []byte(state)) != 1:
		return a, errors.New("the state is of another login")
	case a.Provider != v.PathValue("provider") || a.Provider != v.site.provider.Name:
		return a, errors.New("another provider answers than was asked")
	}
	return a, nil
}

// callback is where the provider sends a browser back to.
func (p *pages) callback(v *visit) {
	provider := v.site.provider
	refuse := func(status int, text string, err error) {
		p.log.WarnContext(v.Context(), "login refused", "host", v.host.Name, "provider", provider.Name, "from", v.Header.Get("X-Forwarded-For"), "error", err)
		p.metrics.loggedIn(v.Context(), provider.Name, false)
		v.fail(status, text)
	}
	a, err := v.attempt()
	if err != nil {
		refuse(http.StatusBadRequest, "This login has ended or was begun in another browser.", err)
		return
	}
	i, err := provider.metadata()
	if err != nil {
		refuse(http.StatusServiceUnavailable, noAnswer, err)
		return
	}
	query := v.URL.Query()
	if iss := query.Get("iss"); iss != "" && iss != provider.Issuer || iss == "" && i.NamesIssuer {
		refuse(http.StatusBadRequest, "Another login service answered than was asked.", errors.New("the answer's iss is another provider's"))
		return
	}
	if reason := query.Get("error"); reason != "" {
		refuse(http.StatusForbidden, "The login service refused.", errors.New(text(reason)))
		return
	}
	ctx := oidc.ClientContext(v.Context(), provider.client)
	tokens, err := provider.oauth(i, v.host.String()).Exchange(ctx, query.Get("code"), oauth2.VerifierOption(a.Verifier))
	if err != nil {
		refuse(statusOf(err), "The login service did not accept the login.", err)
		return
	}
	s := newSession(provider.Name, v.now)
	s.Named = v.gate.named
	if err := provider.take(ctx, i, s, tokens, a.Nonce, v.gate.config.Session.Refresh); err != nil {
		refuse(http.StatusForbidden, "The login service's answer is not valid.", err)
		return
	}
	if !p.keep(v, s) {
		return
	}
	p.log.InfoContext(ctx, "logged in", "user", s.Name, "host", v.host.Name, "provider", provider.Name, "from", v.Header.Get("X-Forwarded-For"))
	p.metrics.loggedIn(ctx, provider.Name, true)
	v.redirect(a.Return)
}

// keep gives the browser the session's cookies.
func (p *pages) keep(v *visit, s *session) bool {
	set, err := v.gate.sessionCookies(s, v.host.Name)
	if err != nil {
		p.log.Error("no session", "user", s.Name, "error", err)
		v.fail(http.StatusInternalServerError, "Your login has more data than a cookie can hold. Ask the administrator.")
		return false
	}
	v.set(triesCookie, strconv.Itoa(v.tries()+1), time.Minute)
	for _, h := range set {
		v.w.Header().Add("Set-Cookie", h)
	}
	return true
}

// statusOf is the status for a provider that refuses, or for one that does not answer.
func statusOf(err error) int {
	var answer *oauth2.RetrieveError
	if errors.As(err, &answer) && answer.Response != nil && answer.Response.StatusCode < 500 {
		return http.StatusForbidden
	}
	return http.StatusServiceUnavailable
}

// refresh asks the provider to confirm a session, and leads back.
func (p *pages) refresh(v *visit) {
	if v.loops() {
		return
	}
	back, provider, c := v.returnPath(), v.site.provider, &v.gate.config.Session
	s := v.gate.session(v.cookie(), v.host.Name)
	if s == nil || s.Provider != provider.Name || s.refreshToken == "" || p.revoked.has(s) {
		p.begin(v, back)
		return
	}
	state, why := s.at(v.now, c)
	if state == ended && why != unconfirmed {
		p.begin(v, back)
		return
	}
	err := errNotFound
	if i, found := provider.metadata(); found == nil {
		ctx := oidc.ClientContext(v.Context(), provider.client)
		var tokens *oauth2.Token
		tokens, err = provider.oauth(i, v.host.String()).TokenSource(ctx, &oauth2.Token{RefreshToken: s.refreshToken}).Token()
		if err == nil && provider.take(ctx, i, s, tokens, "", c.Refresh) != nil || err != nil && statusOf(err) == http.StatusForbidden {
			p.begin(v, back) // the provider has ended its session, or says something else now
			return
		}
	}
	if err != nil {
		p.log.Warn("a session is not confirmed", "user", s.Name, "provider", provider.Name, "error", err)
		if state == ended {
			v.fail(http.StatusServiceUnavailable, noAnswer)
			return
		}
		s.Confirm = v.now.Add(c.Refresh / 10).Unix() // when to try again
	}
	s.Seen = v.now.Unix()
	if p.keep(v, s) {
		v.redirect(back)
	}
}

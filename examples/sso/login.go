package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/spoke-go/spoke/auth"
	"github.com/spoke-go/spoke/auth/openid"
	"github.com/spoke-go/spoke/auth/session"
	"github.com/spoke-go/spoke/codec"
)

// attempt is a login in progress. Each has its own cookie, because two tabs may log in at
// once.
type attempt struct {
	openid.Login
	Provider string `json:"p"`
	Return   string `json:"r"`
}

const noAnswer = "The login service does not answer. Try again in a moment."

const (
	attemptTime   = 10 * time.Minute
	attemptPrefix = cookieName + "-login-"
	maxAttempts   = 4
)

func attemptCookie(state string) string { return attemptPrefix + state[:min(8, len(state))] }

// returnsTo returns the address of the site to which the provider sends browsers back.
func (v *visit) returnsTo() string {
	return "https://" + v.host.String() + callbackPath + v.site.provider.name
}

// login sends a browser to the provider.
func (v *visit) login() {
	if !v.loops() {
		v.begin(v.returnPath())
	}
}

func (v *visit) begin(back string) {
	address, login, err := v.site.provider.Begin(v.returnsTo())
	if err != nil {
		v.fail(http.StatusServiceUnavailable, noAnswer)
		return
	}
	v.dropAttempts()
	b, _ := json.Marshal(attempt{login, v.site.provider.name, back})
	v.set(attemptCookie(login.State), v.gate.keys.Seal(b, v.now.Add(attemptTime), "login", v.host.Name), attemptTime)
	v.leave(address)
}

// dropAttempts deletes the cookies of unfinished logins if there are many.
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
	name := attemptCookie(v.URL.Query().Get("state"))
	text, found := codec.Cookie(v.cookie(), name)
	if !found {
		return a, errors.New("the browser has no cookie of this login")
	}
	v.set(name, "", -1)
	b, ok := v.gate.keys.Open(text, v.now, "login", v.host.Name)
	switch {
	case !ok || json.Unmarshal(b, &a) != nil:
		return a, errors.New("the login has taken too long, or its cookie does not open")
	case a.Provider != v.PathValue("provider") || a.Provider != v.site.provider.name:
		return a, errors.New("another provider answers than was asked")
	}
	return a, nil
}

// callback serves the address to which the provider sends a browser back.
func (v *visit) callback() {
	provider, ctx := v.site.provider, v.Context()
	who := []any{"host", v.host.Name, "provider", provider.name, "from", v.Header.Get("X-Forwarded-For")}
	refuse := func(status int, text string, err error) {
		v.log.WarnContext(ctx, "login refused", append(who, "error", err)...)
		v.metrics.loggedIn(ctx, provider.name, false)
		v.fail(status, text)
	}
	a, err := v.attempt()
	if err != nil {
		refuse(http.StatusBadRequest, "This login has ended or was begun in another browser.", err)
		return
	}
	switch tokens, err := provider.Finish(ctx, a.Login, v.URL.Query(), v.returnsTo()); {
	case errors.Is(err, openid.ErrForged):
		refuse(http.StatusBadRequest, "Another login service answered than was asked.", err)
	case errors.Is(err, auth.ErrUnavailable):
		refuse(http.StatusServiceUnavailable, noAnswer, err)
	case err != nil:
		refuse(http.StatusForbidden, "The login service refused, or its answer is not valid.", err)
	default:
		s := session.New(provider.name, v.now)
		s.Named = v.gate.sessions.Claims
		s.Take(tokens, v.now, v.gate.config.Session.Refresh)
		if v.keep(s) {
			v.log.InfoContext(ctx, "logged in", append([]any{"user", s.Name}, who...)...)
			v.metrics.loggedIn(ctx, provider.name, true)
			v.redirect(a.Return)
		}
	}
}

// keep gives the browser the session's cookies.
func (v *visit) keep(s *session.Session) bool {
	set, err := v.gate.sessions.Set(s, v.host.Name)
	if err != nil {
		v.log.Error("no session", "user", s.Name, "error", err)
		v.fail(http.StatusInternalServerError, "Your login has more data than a cookie can hold. Ask the administrator.")
		return false
	}
	v.set(triesCookie, strconv.Itoa(v.tries()+1), time.Minute)
	v.add(set)
	return true
}

// refresh asks the provider to confirm a session, and leads back.
func (v *visit) refresh() {
	if v.loops() {
		return
	}
	back, provider, c := v.returnPath(), v.site.provider, v.gate.config.Session
	s := v.session()
	if s == nil || s.Provider != provider.name || s.RefreshToken == "" || s.Revoked(v.revoked) {
		v.begin(back)
		return
	}
	state, why := s.State(v.now, c)
	if state == session.Ended && why != session.Unconfirmed {
		v.begin(back)
		return
	}
	tokens, err := provider.Refresh(v.Context(), s.RefreshToken, s.Subject)
	if err != nil {
		v.log.Warn("a session is not confirmed", "user", s.Name, "provider", provider.name, "error", err)
	}
	switch {
	case err == nil:
		s.Take(tokens, v.now, c.Refresh)
	case !errors.Is(err, auth.ErrUnavailable): // the provider ended its session, or names another user
		v.begin(back)
		return
	case state == session.Ended:
		v.fail(http.StatusServiceUnavailable, noAnswer)
		return
	default:
		s.Confirm = v.now.Add(c.Refresh / 10).Unix() // when to try again
	}
	s.Seen = v.now.Unix()
	if v.keep(s) {
		v.redirect(back)
	}
}

package main

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// askLogout logs out a visitor who follows a link of the site's own, and asks all others:
// a foreign site must not log people out.
func (p *pages) askLogout(v *visit) {
	if from := v.Header.Get("Sec-Fetch-Site"); from == "same-origin" || from == "none" {
		p.logout(v)
		return
	}
	m := message{Title: "Log out?", Logout: true}
	if s := v.gate.session(v.cookie(), v.host.Name); s != nil {
		m.User = s.Name
	}
	v.say(http.StatusOK, m)
}

// logout ends the session here and at the provider.
func (p *pages) logout(v *visit) {
	origin := v.Header.Get("Origin")
	if from := v.Header.Get("Sec-Fetch-Site"); from == "cross-site" || from == "same-site" || origin != "" && !strings.EqualFold(origin, "https://"+v.Host) {
		v.say(http.StatusForbidden, message{Title: "Log out?", Text: "Another site asked for it.", Logout: true})
		return
	}
	s := v.gate.session(v.cookie(), v.host.Name)
	parts, _ := hostCookie(cookieName, "", -1).Delete(maxParts)
	for _, h := range parts {
		v.w.Header().Add("Set-Cookie", h)
	}
	v.set(triesCookie, "", -1)
	if s == nil {
		v.redirect(byePath)
		return
	}
	p.log.InfoContext(v.Context(), "logged out", "user", s.Name, "host", v.host.Name)
	if err := p.revoked.add(v.Context(), "id "+s.ID, v.now); err != nil {
		p.log.ErrorContext(v.Context(), "the session is not revoked; a copy of its cookie works until it ends", "user", s.Name, "error", err)
	}
	i, err := v.site.provider.metadata()
	if err != nil || i.EndSession == "" {
		v.redirect(byePath)
		return
	}
	query := url.Values{"client_id": {v.site.provider.ClientID}, "post_logout_redirect_uri": {"https://" + v.host.String() + byePath}}
	if s.idToken != "" {
		query.Set("id_token_hint", s.idToken)
	}
	separator := "?"
	if strings.Contains(i.EndSession, "?") {
		separator = "&"
	}
	v.leave(i.EndSession + separator + query.Encode())
}

// backchannel ends a session, or all of a user, at the provider's request (OpenID
// Connect Back-Channel Logout 1.0).
func (p *pages) backchannel(v *visit) {
	provider := v.gate.providers[v.PathValue("provider")]
	refuse := func(status int, err error) {
		p.log.WarnContext(v.Context(), "back-channel logout refused", "error", err)
		http.Error(v.w, `{"error":"invalid_request"}`, status)
	}
	if provider == nil || !p.revoked.stores() {
		refuse(http.StatusNotImplemented, errors.New("there is no such provider, or no Redis to store it in"))
		return
	}
	v.Body = http.MaxBytesReader(v.w, v.Body, 64<<10)
	token, err := provider.verifier(provider.ClientID).VerifyLogout(v.Context(), v.PostFormValue("logout_token"))
	if err != nil {
		refuse(http.StatusBadRequest, err)
		return
	}
	what := "sid " + provider.Name + " " + token.SessionID
	if token.SessionID == "" {
		what = "sub " + provider.Name + " " + token.Subject
	}
	if err := p.revoked.add(v.Context(), what, v.now); err != nil {
		refuse(http.StatusServiceUnavailable, err)
		return
	}
	p.log.InfoContext(v.Context(), "logged out by the provider", "provider", provider.Name, "subject", token.Subject)
}

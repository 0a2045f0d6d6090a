package main

import (
	"errors"
	"net/http"
	"strings"

	"github.com/spoke-go/spoke/auth/session"
)

// askLogout logs out a visitor who follows a link on the site itself, and asks all others
// first: a foreign site must not log users out.
func (v *visit) askLogout() {
	if from := v.Header.Get("Sec-Fetch-Site"); from == "same-origin" || from == "none" {
		v.logout()
		return
	}
	m := message{Title: "Log out?", Logout: true}
	if s := v.session(); s != nil {
		m.User = s.Name
	}
	v.say(http.StatusOK, m)
}

// logout ends the session here and at the provider.
func (v *visit) logout() {
	origin := v.Header.Get("Origin")
	if from := v.Header.Get("Sec-Fetch-Site"); from == "cross-site" || from == "same-site" || origin != "" && !strings.EqualFold(origin, "https://"+v.Host) {
		v.say(http.StatusForbidden, message{Title: "Log out?", Text: "Another site asked for it.", Logout: true})
		return
	}
	s := v.session()
	parts, _ := v.gate.sessions.Delete()
	v.add(parts)
	v.set(triesCookie, "", -1)
	if s == nil {
		v.redirect(byePath)
		return
	}
	v.log.InfoContext(v.Context(), "logged out", "user", s.Name, "host", v.host.Name)
	if err := v.revoked.Add(v.Context(), s.Key()); err != nil {
		v.log.ErrorContext(v.Context(), "the session is not revoked; a copy of its cookie works until it ends", "user", s.Name, "error", err)
	}
	if address := v.site.provider.LogoutURL(s.IDToken, "https://"+v.host.String()+byePath); address != "" {
		v.leave(address)
		return
	}
	v.redirect(byePath)
}

// backchannel ends a session, or all of a user, at the provider's request (OpenID
// Connect Back-Channel Logout 1.0).
func (v *visit) backchannel() {
	provider := v.gate.providers[v.PathValue("provider")]
	refuse := func(status int, err error) {
		v.log.WarnContext(v.Context(), "back-channel logout refused", "error", err)
		http.Error(v.w, `{"error":"invalid_request"}`, status)
	}
	if provider == nil || v.revoked == nil {
		refuse(http.StatusNotImplemented, errors.New("there is no such provider, or no Redis to store it in"))
		return
	}
	v.Body = http.MaxBytesReader(v.w, v.Body, 64<<10)
	sid, subject, err := provider.VerifyLogout(v.Context(), v.PostFormValue("logout_token"))
	if err != nil {
		refuse(http.StatusBadRequest, err)
		return
	}
	if err := v.revoked.Add(v.Context(), session.NameOf(provider.name, sid, subject)); err != nil {
		refuse(http.StatusServiceUnavailable, err)
		return
	}
	v.log.InfoContext(v.Context(), "logged out by the provider", "provider", provider.name, "subject", subject)
}

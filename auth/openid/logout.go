package openid

import (
	"context"
	"net/url"
	"strings"
)

// LogoutURL returns the address at the provider that ends its session and leads back to
// back, which must be registered there. It is empty if the provider has no such address.
// idToken may be empty.
func (p *Provider) LogoutURL(idToken, back string) string {
	i, err := p.published()
	if err != nil || i.EndSession == "" {
		return ""
	}
	query := url.Values{"client_id": {p.ClientID}, "post_logout_redirect_uri": {back}}
	if idToken != "" {
		query.Set("id_token_hint", idToken)
	}
	separator := "?"
	if strings.Contains(i.EndSession, "?") {
		separator = "&"
	}
	return i.EndSession + separator + query.Encode()
}

// VerifyLogout returns the session that a logout token ends, or if that is empty the user
// whose sessions end (OpenID Connect Back-Channel Logout 1.0).
func (p *Provider) VerifyLogout(ctx context.Context, raw string) (session, subject string, err error) {
	token, err := p.verifier(p.ClientID).VerifyLogout(ctx, raw)
	if err != nil {
		return "", "", err
	}
	return token.SessionID, token.Subject, nil
}

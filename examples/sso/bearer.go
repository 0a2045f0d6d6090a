package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// How long the agent remembers a good bearer token, at most until it expires, and a bad
// one; and how many bytes one can have.
const (
	goodToken = time.Minute
	badToken  = 10 * time.Second
	maxBearer = 8 << 10
)

// bearer returns the user of a bearer token, or nil and the reason.
func (p *provider) bearer(ctx context.Context, token string) (*identity, string) {
	if token == "" || len(token) > maxBearer || strings.ContainsAny(token, " ,\"\\") {
		return nil, "bad token"
	}
	if id, found := p.cache.get(token); found {
		return id, "token"
	}
	var claims map[string]any
	var err error
	jwt := strings.Count(token, ".") == 2
	switch {
	case jwt:
		claims, err = p.verifyJWT(ctx, token)
	case p.Introspect:
		claims, err = p.introspect(ctx, token)
	default:
		return nil, "bad token"
	}
	now := p.now()
	until := now.Add(badToken)
	var id *identity
	if err == nil {
		until = now.Add(goodToken)
		if exp, ok := claims["exp"].(float64); ok {
			until = minTime(until, time.Unix(int64(exp), 0).Add(leeway))
		}
		found := identityOf(claims, p.UserClaim, p.GroupsClaim, p.named)
		if found.User == "" { // a machine's token may have no name
			found.User = found.Subject
		}
		if found.User != "" && until.After(now) {
			id = &found
		}
	}
	if id == nil {
		p.log.DebugContext(ctx, "a bearer token is refused", "error", err)
		if err != nil && !jwt {
			return nil, "bad token" // the provider may be down for a moment
		}
	}
	if id != nil || !jwt { // made-up JWTs must not drive out what is remembered
		p.cache.put(token, id, until)
	}
	if id == nil {
		return nil, "bad token"
	}
	return id, "token"
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// verifyJWT returns the claims of a token that the provider signed for one of the audiences.
func (p *provider) verifyJWT(ctx context.Context, token string) (map[string]any, error) {
	verified, err := p.verifier("").Verify(ctx, token)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(verified.Audience, func(a string) bool { return slices.Contains(p.Audiences, a) }) {
		return nil, fmt.Errorf("the token is for %v", verified.Audience)
	}
	claims := make(map[string]any)
	return claims, verified.Claims(&claims)
}

// introspect asks the provider about a token (RFC 7662). Inactive is no error: the
// claims are then empty.
func (p *provider) introspect(ctx context.Context, token string) (map[string]any, error) {
	m, err := p.metadata()
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.Introspection, strings.NewReader(url.Values{"token": {token}}.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(url.QueryEscape(p.ClientID), url.QueryEscape(p.ClientSecret.Reveal()))
	resp, err := p.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	claims := make(map[string]any)
	if err := readJSON(resp, &claims); err != nil {
		return nil, fmt.Errorf("introspection: %w", err)
	}
	if active, _ := claims["active"].(bool); !active {
		return nil, nil
	}
	if iss, told := claims["iss"].(string); told && iss != p.Issuer {
		return nil, nil
	}
	if !slices.ContainsFunc(texts(claims["aud"]), func(a string) bool { return slices.Contains(p.Audiences, a) }) {
		return nil, nil
	}
	return claims, nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spoke-go/spoke/auth"
)

// Bounds of bearer tokens: how long the agent remembers a good one, at most until it
// expires, and a bad one; and how many introspections it has under way,
// of tokens that are new as of tokens that were good before.
const (
	goodToken         = time.Minute
	badToken          = 10 * time.Second
	maxIntrospections = 16
)

// slots bounds work under way.
type slots chan struct{}

// bearer returns the user of a bearer token, or why there is none.
func (p *provider) bearer(ctx context.Context, token string) (*auth.User, error) {
	id, fresh := p.remembered.get(token)
	if fresh {
		return id, nil
	}
	if _, bad := p.refused.get(token); bad {
		return nil, auth.ErrBadToken
	}
	if strings.Count(token, ".") == 2 {
		claims, err := p.verifyJWT(ctx, token)
		return p.remember(ctx, token, claims, err)
	}
	if !p.Introspect {
		return nil, auth.ErrBadToken
	}
	asking := p.asking
	if id != nil {
		asking = p.askingAgain
	}
	done := p.one.DoChan(token, func() (any, error) {
		select {
		case asking <- struct{}{}:
			defer func() { <-asking }()
		default:
			return nil, auth.ErrUnavailable
		}
		claims, err := p.introspect(context.WithoutCancel(ctx), token)
		if err != nil {
			p.log.WarnContext(ctx, "the provider does not judge a bearer token", "error", err)
			return nil, auth.ErrUnavailable
		}
		id, err := p.remember(ctx, token, claims, nil)
		if err != nil {
			p.refused.put(token, nil, p.now().Add(badToken))
		}
		return id, err
	})
	select {
	case r := <-done:
		id, _ := r.Val.(*auth.User)
		return id, r.Err
	case <-ctx.Done():
		return nil, auth.ErrUnavailable
	}
}

// remember returns the user that a token's claims name, and keeps it for a while.
func (p *provider) remember(ctx context.Context, token string, claims map[string]any, err error) (*auth.User, error) {
	id := identityOf(claims, p.UserClaim, p.GroupsClaim, p.named)
	if id.Name == "" { // a machine's token may have no name
		id.Name = id.Subject
	}
	until := p.now().Add(goodToken)
	if exp, ok := claims["exp"].(float64); ok {
		if end := time.Unix(int64(exp), 0).Add(leeway); end.Before(until) {
			until = end
		}
	}
	if err != nil || id.Name == "" || !until.After(p.now()) {
		p.log.DebugContext(ctx, "a bearer token is refused", "error", err)
		return nil, auth.ErrBadToken
	}
	p.remembered.put(token, &id, until)
	return &id, nil
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
	if err := verified.Claims(&claims); err != nil {
		return nil, err
	}
	if claims["at_hash"] != nil || claims["events"] != nil {
		return nil, errors.New("the token is an ID token or a logout token, not an access token")
	}
	return claims, nil
}

// introspect asks the provider about a token (RFC 7662). Inactive is no error: the
// claims are then empty.
func (p *provider) introspect(ctx context.Context, token string) (map[string]any, error) {
	i, err := p.metadata()
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, i.Introspection, strings.NewReader(url.Values{"token": {token}}.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(url.QueryEscape(p.ClientID), url.QueryEscape(p.ClientSecret.Reveal()))
	claims := make(map[string]any)
	if err := p.readJSON(req, &claims); err != nil {
		return nil, err
	}
	active, _ := claims["active"].(bool)
	iss, told := claims["iss"].(string)
	forUs := slices.ContainsFunc(texts(claims["aud"]), func(a string) bool { return slices.Contains(p.Audiences, a) })
	if !active || told && iss != p.Issuer || !forUs {
		return nil, nil
	}
	return claims, nil
}

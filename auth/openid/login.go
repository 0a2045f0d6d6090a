package openid

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/spoke-go/spoke/auth"
)

// Login is a login in progress. Keep it in a place from which only this browser can return
// it.
type Login struct {
	State    string `json:"s"`
	Nonce    string `json:"n"`
	Verifier string `json:"v"`
}

// ErrForged is the error of a return that is not the answer to that login.
var ErrForged = errors.New("the answer is not to this login")

// Tokens are the tokens of a user, from a provider.
type Tokens struct {
	User    *auth.User // nil if a refresh has no news about the user
	Session string     // the provider's name of its own session; may be empty
	ID      string     // the ID token
	Refresh string     // the refresh token; may be empty
}

// Begin returns a new login, and the address at the provider to send the browser to. The
// provider sends it back to redirect, which must be registered there.
func (p *Provider) Begin(redirect string) (address string, l Login, err error) {
	i, err := p.published()
	if err != nil {
		return "", l, err
	}
	l = Login{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier()}
	return p.oauth(i, redirect).AuthCodeURL(l.State, oidc.Nonce(l.Nonce), oauth2.S256ChallengeOption(l.Verifier)), l, nil
}

// Finish ends a login with the query of the browser's return to redirect. The error is
// ErrForged, auth.ErrUnavailable, or another one if the provider refuses or its tokens are
// not valid.
func (p *Provider) Finish(ctx context.Context, l Login, query url.Values, redirect string) (*Tokens, error) {
	i, err := p.published()
	if err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare([]byte(l.State), []byte(query.Get("state"))) != 1 {
		return nil, fmt.Errorf("%w: its state is another login's", ErrForged)
	}
	if iss := query.Get("iss"); iss != "" && iss != p.Issuer || iss == "" && i.NamesIssuer {
		return nil, fmt.Errorf("%w: its iss is another provider's", ErrForged)
	}
	if reason := query.Get("error"); reason != "" {
		return nil, fmt.Errorf("the provider refuses: %s", auth.Text(reason))
	}
	ctx = oidc.ClientContext(ctx, p.client)
	tokens, err := p.oauth(i, redirect).Exchange(ctx, query.Get("code"), oauth2.VerifierOption(l.Verifier))
	if err != nil {
		return nil, unavailable(err)
	}
	return p.take(ctx, i, tokens, l.Nonce, "")
}

// Refresh asks the provider to confirm a user with a refresh token. The error is
// auth.ErrUnavailable, or another one if the session at the provider is over.
func (p *Provider) Refresh(ctx context.Context, refreshToken, subject string) (*Tokens, error) {
	i, err := p.published()
	if err != nil {
		return nil, err
	}
	ctx = oidc.ClientContext(ctx, p.client)
	tokens, err := p.oauth(i, "").TokenSource(ctx, &oauth2.Token{RefreshToken: refreshToken}).Token()
	if err != nil {
		return nil, unavailable(err)
	}
	return p.take(ctx, i, tokens, "", subject)
}

func (p *Provider) oauth(i *published, redirect string) *oauth2.Config {
	return &oauth2.Config{ClientID: p.ClientID, ClientSecret: p.ClientSecret.Reveal(), Endpoint: i.oidc.Endpoint(), Scopes: p.Scopes, RedirectURL: redirect}
}

// unavailable distinguishes a refusal of the provider from a missing answer.
func unavailable(err error) error {
	var answer *oauth2.RetrieveError
	if errors.As(err, &answer) && answer.Response != nil && answer.Response.StatusCode < 500 {
		return err
	}
	return fmt.Errorf("%w: %v", auth.ErrUnavailable, err)
}

// take verifies the provider's tokens. nonce is empty for a refresh. Its ID token may be
// missing; otherwise it must be about subject.
func (p *Provider) take(ctx context.Context, i *published, tokens *oauth2.Token, nonce, subject string) (*Tokens, error) {
	t := &Tokens{Refresh: tokens.RefreshToken}
	t.ID, _ = tokens.Extra("id_token").(string)
	claims := make(Claims)
	switch {
	case t.ID != "":
		if err := p.readID(ctx, t.ID, tokens.AccessToken, nonce, &claims); err != nil {
			return nil, err
		}
		of := claims.Text("sub")
		if subject != "" && of != subject {
			return nil, errors.New("the ID token is about another user than before")
		}
		subject = of
	case nonce != "":
		return nil, errors.New("the provider gave no ID token: is openid among the scopes?")
	}
	if p.UserInfo {
		info, err := i.oidc.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
		if err != nil {
			return nil, err
		}
		if info.Subject != subject {
			return nil, errors.New("the userinfo is about another user than the ID token")
		}
		if err := info.Claims(&claims); err != nil {
			return nil, err
		}
	}
	if len(claims) > 0 {
		user := p.User(claims)
		if user.Name == "" {
			return nil, fmt.Errorf("the provider names no user (claims %v)", slices.Sorted(maps.Keys(claims)))
		}
		t.User, t.Session = &user, claims.Text("sid")
	}
	return t, nil
}

// readID verifies an ID token, and reads its claims.
func (p *Provider) readID(ctx context.Context, raw, accessToken, nonce string, claims *Claims) error {
	id, err := p.verifier(p.ClientID).Verify(ctx, raw)
	if err != nil {
		return err
	}
	if nonce != "" && id.Nonce != nonce {
		return errors.New("the ID token is of another login: its nonce differs")
	}
	if id.AccessTokenHash != "" {
		if err := id.VerifyAccessToken(accessToken); err != nil {
			return err
		}
	}
	if err := id.Claims(claims); err != nil {
		return err
	}
	if azp, ok := (*claims)["azp"]; ok && azp != p.ClientID {
		return errors.New("the ID token was issued to another client: its azp differs")
	}
	return nil
}

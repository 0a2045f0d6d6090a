package openid

import (
	"net/url"

	"github.com/go-jose/go-jose/v4"

	"github.com/spoke-go/spoke/service"
)

// Config are the settings of a provider and of this program as its client: part of the
// settings of an agent on package service.
type Config struct {
	Issuer       string         `value:"URL" help:"the issuer, exactly as the provider writes it"`
	ClientID     string         `help:"the client id of this agent at the provider"`
	ClientSecret service.Secret `help:"the client's secret; empty for a public client"`
	Scopes       []string       `help:"default: openid, profile, email, offline_access"`
	UserClaim    string         `help:"the claim with the user's name; default: preferred_username, else sub"`
	GroupsClaim  string         `help:"the claim with the groups; default: groups"`
	UserInfo     bool           `help:"ask the userinfo endpoint for claims that the ID token lacks"`
	// Do not allow an algorithm with a shared key: a forger could use a public key as
	// that key.
	Algorithms []jose.SignatureAlgorithm `oneof:"RS256,RS384,RS512,PS256,PS384,PS512,ES256,ES384,ES512,EdDSA" help:"algorithms of signatures; default: RS256, PS256, ES256, EdDSA"`
	CA         string                    `value:"FILE" help:"PEM file with the authorities for the provider's certificate"`
	// Claims names the claims that a User has in addition to name, mail and groups.
	Claims []string `conf:"-"`
}

// Validate checks the settings.
func (c Config) Validate() error {
	u, err := url.Parse(c.Issuer)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return service.Wrong("issuer", "%q is no URL: write https://…", c.Issuer)
	}
	return nil
}

func (c Config) withDefaults() Config {
	if len(c.Scopes) == 0 {
		c.Scopes = []string{"openid", "profile", "email", "offline_access"}
	}
	if len(c.Algorithms) == 0 {
		c.Algorithms = []jose.SignatureAlgorithm{jose.RS256, jose.PS256, jose.ES256, jose.EdDSA}
	}
	if c.GroupsClaim == "" {
		c.GroupsClaim = "groups"
	}
	return c
}

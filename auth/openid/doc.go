// Package openid is the client of an OpenID Connect provider: logins of browsers, logouts,
// and the verification of tokens.
//
//	provider, err := openid.New(config, slog.Default(), time.Now)
//	…
//	go provider.Run(ctx)
//
// Run reads the provider's metadata and keys, at once and every few minutes, so that no
// request waits for them. When a token names an unknown key, it reads the keys again, at
// most every ten seconds. A key that the provider no longer publishes no longer verifies a
// token. While the provider is down, the last keys stay.
//
// A login sends the browser to the address that Begin returns. The program keeps the
// [Login] meanwhile, for example sealed in a cookie (package seal). When the browser
// returns, the program passes the Login and the query to Finish. Each login has a state, a
// nonce and PKCE.
package openid

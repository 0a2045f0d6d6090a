// Package openid is the client of an OpenID Connect provider: logins of browsers, logouts,
// and the verification of tokens.
//
//	provider, err := openid.New(config, slog.Default(), time.Now)
//	…
//	go provider.Run(ctx)
//
// Run reads the provider's metadata and keys, now and every few minutes, so that no request
// waits for it. When a token names an unknown key, the provider's keys are read once more, at
// most every ten seconds. A key that the provider no longer publishes verifies no token any more. While
// the provider is down, the last keys stay.
//
// A login sends the browser to the address that Begin returns. The program keeps the
// [Login] meanwhile, for example sealed in a cookie (package seal), and hands it with the
// query of the browser's return to Finish. Each login has a state, a nonce and PKCE.
package openid

// Package bearer verifies the access tokens that programs send to an API in the
// Authorization header.
//
//	provider, err := openid.New(config, log, time.Now)
//	…
//	go provider.Run(ctx)
//	tokens := bearer.New(provider, bearer.Config{Audiences: []string{"https://api.example.com"}}, log, time.Now)
//	…
//	token, ok := auth.Bearer(authorization)
//	user, err := tokens.Verify(ctx, token)
//
// A JWT must be signed with one of the provider's keys, by an algorithm that the provider's
// configuration names, for one of the audiences, and must not have expired. This needs no
// call to the provider. If the configuration says so, the verifier asks the provider about
// tokens of any other form (RFC 7662).
//
// The verifier remembers a good token for a minute, but not after it expires, and a JWT not
// after the provider's keys are read again. It remembers a token that the provider refused
// for ten seconds, in a separate cache, so that bad tokens cannot evict good ones. It makes
// at most 16 calls to the provider at a time for new tokens, and 16 for tokens that were
// good before; above that Verify returns auth.ErrUnavailable at once.
package bearer

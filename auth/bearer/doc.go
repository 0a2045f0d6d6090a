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
// configuration names, for one of the audiences, and must not have expired. No call to the
// provider is needed. The provider is asked about tokens of any other form, if the
// configuration says so (RFC 7662).
//
// Good tokens are remembered for a minute, at most until they expire, and JWTs at most until
// the provider's keys are read again. Tokens that the provider has
// refused are remembered for ten seconds, apart from the good ones, which they cannot drive
// out. At most 16 calls to the provider are under way for new tokens, and 16 for tokens that
// were good before; beyond that Verify returns auth.ErrUnavailable at once.
package bearer

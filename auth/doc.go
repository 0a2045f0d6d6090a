// Package auth identifies the sender of a request. Its folders do the work:
//
//   - auth/openid: an OpenID Connect provider: its keys, logins, logouts
//   - auth/bearer: access tokens for APIs, JWTs and others
//   - auth/ldapauth: names and passwords in an LDAP directory
//   - auth/session: a browser's login in an encrypted cookie
//   - auth/revoked: revoked sessions and tokens, for several agents
//
// They return a [User], or one of this package's errors. [Bearer] and [Basic] read the
// Authorization header that HAProxy sends as an argument:
//
//	type Question struct {
//		Authorization string `spoe:"authorization,secret" fetch:"req.fhdr(authorization)"`
//	}
//
// examples/sso is an agent that uses all of it; others limit rates by the user of a token,
// or log the user of a request.
package auth

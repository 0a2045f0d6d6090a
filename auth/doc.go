// Package auth identifies the sender of a request. [Bearer] and [Basic] read the
// Authorization header that HAProxy sends as an argument:
//
//	type Question struct {
//		Authorization string `spoe:"authorization,secret" fetch:"req.fhdr(authorization)"`
//	}
//
// Package auth/ldapauth checks names and passwords in an LDAP directory. It returns a
// [User], or one of this package's errors. examples/sso is an agent that uses it.
package auth

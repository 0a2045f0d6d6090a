// Package ldapauth checks a name and a password, such as those of Basic authentication, in
// an LDAP directory.
//
//	directory, err := ldapauth.New(config, time.Now)
//	…
//	name, password, ok := auth.Basic(authorization)
//	user, err := directory.Authenticate(ctx, name, password, from)
//
// The program's own entry searches for the user's entry and groups; then the user's entry
// binds with the password. A few connections, over TLS, serve all requests. The directory
// remembers a good password for a while, as a keyed hash.
//
// Refusals do not show which names exist: they all take a multiple of a delay. After three
// wrong passwords a user, and the network that they come from, must wait. A password in
// progress counts as a wrong one, so many at once are no advantage.
package ldapauth

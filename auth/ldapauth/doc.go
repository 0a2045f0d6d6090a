// Package ldapauth checks a name and a password, as those of Basic authentication, in an
// LDAP directory.
//
//	directory, err := ldapauth.New(config, time.Now)
//	…
//	name, password, ok := auth.Basic(authorization)
//	user, err := directory.Authenticate(ctx, name, password, from)
//
// The program's own entry searches for the user's entry and groups; then the user's entry
// binds with the password. A few connections, over TLS, serve all requests. A good password
// is remembered for a while, as a keyed hash.
//
// Refusals do not show which names there are: they all take a multiple of a delay. After
// three wrong passwords a user, and the network that they come from, must wait. Passwords
// that are being tried count as wrong ones, so that many at once gain nothing.
package ldapauth

// Package revoked is a list of names that several agents share: of sessions, tokens or
// users that are revoked although their cookie or token is still valid.
//
//	list, err := revoked.New(config, func() time.Duration { return 12 * time.Hour }, log, time.Now)
//	…
//	go list.Run(ctx)
//	…
//	err = list.Add(ctx, "session "+id) // after a logout
//	…
//	if !list.Fresh() { … }             // answer 503: the list may lack a logout
//	_, ended := list.At("session " + id)
//
// A stream in Redis has the names. Each agent reads it from its beginning and then waits
// for more, so that no request waits for Redis. The list forgets a name after the time that
// the longest session lasts.
package revoked

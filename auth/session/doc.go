// Package session keeps a browser's login in an encrypted cookie, so that an agent needs no
// memory of it and any agent with the same secrets can read it.
//
//	sessions := session.Cookie{Name: "__Host-sso", Keys: keys, Config: session.Defaults()}
//
//	s := session.New("main", now) // after a login
//	s.Take(tokens, now, sessions.Refresh)
//	headers, err := sessions.Set(s, host) // the values of Set-Cookie
//
//	s := sessions.Read(header, host, now) // at each request; nil if there is none
//	state, reason := s.State(now, sessions.Config)
//
// A session ends a time after its login, or after the last request. If the provider gave a
// refresh token, the provider must confirm it from time to time (openid.Provider.Refresh).
// A session is valid for one host. A list of package revoked ends sessions of which copies
// may exist, and all sessions of a user.
package session

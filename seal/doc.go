// Package seal encrypts small values that pass through a visitor's browser: a login in a
// cookie, the address to return to, the state of a form. The visitor can neither read nor
// change them, and any agent with the same secrets can open them.
//
//	keys, err := seal.New([]string{secret})
//	text := keys.Seal(value, time.Now().Add(time.Hour), "login", host)
//	value, ok := keys.Open(text, time.Now(), "login", host)
//
// Open needs the words that Seal got, here "login" and a host, so a text for one purpose or
// site does not work for another.
//
// To replace a secret, put the new one in front of the old one at all agents, and remove
// the old one when the values that it sealed are expired.
package seal

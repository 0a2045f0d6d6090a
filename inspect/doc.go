// Package inspect serves a web page that shows what an agent does while it does
// it: the messages that HAProxy sends, the variables that go back, the
// connections, and the configuration.
//
// The page is an http.Handler. Mount it on an address that only operators reach,
// because it shows what visitors send:
//
//	page := inspect.New(inspect.Config{Name: "ip-reputation", Agent: agent, Routes: r.Routes})
//	r.Use(page.Middleware())
//	mux.Handle("/inspect/", page)
//
// # Cost
//
// While no browser has the page open, the middleware costs one atomic load per
// message and allocates nothing. It counts and samples only while somebody looks,
// and ten seconds longer, so the numbers begin when the first page is opened. Each
// page gets at most 50 samples a second through a channel of a fixed size; a
// browser that reads too slowly loses samples, which the page counts, and never
// delays the agent.
//
// # Secrets
//
// A value of a field with the tag option secret is replaced by REDACTED before it
// is stored, filtered or encoded. The same holds for the arguments and variables
// in Config.Secrets, and for Cookie, Set-Cookie, Authorization and
// Proxy-Authorization, as arguments and inside header blocks. Other values are
// shown: a password in a URL or in a body is visible unless its field is secret.
package inspect

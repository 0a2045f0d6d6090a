// Package inspect serves a live web page of an agent: the messages that HAProxy sends,
// the variables that the agent sets, the connections, and the configuration.
//
// The page is an http.Handler. Mount it on an address that only operators reach,
// because it shows data of visitors:
//
//	page := inspect.New(inspect.Config{Name: "ip-reputation", Agent: agent, Routes: r.Routes})
//	r.Use(page.Middleware())
//	mux.Handle("/inspect/", page)
//
// # Cost
//
// While no browser has the page open, the middleware costs one atomic load per message and
// allocates nothing. It counts and samples only while a page is open and for ten seconds
// afterwards, so the numbers begin when the first page opens. Each page gets at most 50
// samples a second through a channel of a fixed size. A browser that reads too slowly loses
// samples, which the page counts, and does not delay the agent.
//
// # Secrets
//
// REDACTED replaces the value of a field with the tag option secret before it is stored,
// filtered or encoded. The same applies to the arguments and variables in Config.Secrets,
// and to Cookie, Set-Cookie, Authorization, Proxy-Authorization, X-Api-Key, X-Auth-Token
// and X-Csrf-Token, as arguments and inside header blocks. Other values are shown: a
// password in a URL or in a body is visible unless its field is secret.
package inspect

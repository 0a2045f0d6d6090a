package lab

import (
	"fmt"
	"html"
	"io"
	"net/http"
)

// Site is a site that shows the user that HAProxy names.
func Site(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // trailers follow it
		trailers := 0
		for _, values := range r.Trailer {
			trailers += len(values) // empty for a missing trailer that Trailer announces
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		show := func(header string) string { return html.EscapeString(r.Header.Get(header)) }
		fmt.Fprintf(w, `<!doctype html><title>%[1]s</title><body style="font:16px/1.6 system-ui,sans-serif;max-width:36rem;margin:4rem auto">
<h1>%[1]s</h1>
<p>You asked for <code id="path">%[2]s</code>.
<p>HAProxy says that you are <b id="user">%[3]s</b> &lt;<span id="mail">%[4]s</span>&gt;, in the groups <span id="groups">%[5]s</span>.
<p>The request has <span id="trailers">%[6]d</span> trailers.
<p><a id="logout" href="/.sso/logout">Log out</a></body>
`, name, html.EscapeString(r.URL.RequestURI()), show("X-Auth-User"), show("X-Auth-Mail"), show("X-Auth-Groups"), trailers)
	})
}

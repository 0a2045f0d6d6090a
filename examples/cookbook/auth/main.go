// Command auth identifies the user of a request by the session in its cookie, and names
// the login page for visitors without a session.
package main

import (
	"context"
	"flag"
	"log"
	"net/url"
	"os/signal"
	"syscall"
	"time"

	"github.com/spoke-go/spoke/haproxy"
	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
)

//go:generate sh -c "go run . -print-config=spoe > spoe.conf"
//go:generate sh -c "go run . -print-config=backend > agents.cfg"

type Question struct {
	// secret keeps the cookie out of errors, logs and traces.
	Session string `spoe:"session,secret" fetch:"req.cook(session)"`
	Path    string `spoe:"path" fetch:"path"`
	Query   string `spoe:"query" fetch:"query"`
}

type Answer struct {
	Decision string `spoe:"decision"`           // allow or login; each answer has it
	User     string `spoe:"user,omitempty"`     // the user's name, with a session
	Location string `spoe:"location,omitempty"` // where to log in
}

// sessions stands for your own store: Redis, a database, a signed token.
var sessions = map[string]string{
	"a-long-random-text": "alice",
}

func check(_ context.Context, q Question) (Answer, error) {
	user, ok := sessions[q.Session]
	switch {
	case ok:
		return Answer{Decision: "allow", User: user}, nil
	case q.Path == "/login": // or no visitor could ever log in
		return Answer{Decision: "allow"}, nil
	}
	// After the login the visitor returns to this page. The login page must check that
	// this is a path of its own site. After QueryEscape it has no character that could
	// end the header.
	next := q.Path
	if q.Query != "" {
		next += "?" + q.Query
	}
	return Answer{Decision: "login", Location: "/login?next=" + url.QueryEscape(next)}, nil
}

func main() {
	listen := flag.String("listen", "127.0.0.1:9000", "the `address` to listen on")

	r := router.New()
	r.Use(middleware.Default(200 * time.Millisecond))
	r.ErrorVar(spoe.VarScopeTransaction, "failed")
	r.Handle("check-session", check).Event(router.OnFrontendHTTPRequest)

	// No answer means no access.
	haproxy.Parse(r, haproxy.Config{Engine: "auth", FailClosed: true})

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := spoe.ListenAndServe(ctx, *listen, r); err != nil {
		log.Fatal(err)
	}
}

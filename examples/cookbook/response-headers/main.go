// Command response-headers chooses headers for a response.
package main

import (
	"context"
	"flag"
	"log"
	"net/http"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/haproxy"
	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
)

//go:generate sh -c "go run . -print-config=spoe > spoe.conf"
//go:generate sh -c "go run . -print-config=backend > agents.cfg"

type Response struct {
	// When the site responds, HAProxy does not have the request any more. A rule
	// of haproxy.cfg keeps the path in a variable.
	Path string `spoe:"path" fetch:"var(txn.path)"`
	Type string `spoe:"type" fetch:"res.hdr(content-type)"`
}

type Headers struct {
	// A variable for each header, for every version of HAProxy.
	Cache  string `spoe:"cache"`
	Policy string `spoe:"policy,omitempty"`
	// All headers in one variable, for HAProxy 3.4 and later.
	Set    http.Header `spoe:"set"`
	Remove names       `spoe:"remove"`
}

// names are names of headers in the form that del-headers-bin takes: each after its
// length, and an empty one at the end.
type names []byte

func namesOf(list ...string) names {
	var b []byte
	for _, name := range append(list, "") {
		b = codec.AppendString(b, name)
	}
	return b
}

func headers(_ context.Context, r Response) (Headers, error) {
	h := Headers{Cache: "no-store", Set: http.Header{}, Remove: namesOf("Server", "X-Powered-By")}
	if strings.HasPrefix(r.Path, "/static/") {
		h.Cache = "public, max-age=31536000, immutable"
	}
	if strings.HasPrefix(r.Type, "text/html") {
		h.Policy = "default-src 'self'"
		h.Set.Set("Content-Security-Policy", h.Policy)
		h.Set.Set("X-Frame-Options", "DENY")
	}
	h.Set.Set("Cache-Control", h.Cache)
	h.Set.Set("X-Content-Type-Options", "nosniff")
	return h, nil
}

func main() {
	listen := flag.String("listen", "127.0.0.1:9000", "the `address` to listen on")

	r := router.New()
	r.Use(middleware.Default(50 * time.Millisecond))
	r.ErrorVar(spoe.VarScopeTransaction, "failed")
	r.Handle("response", headers).Event(router.OnHTTPResponse)

	haproxy.Parse(r, haproxy.Config{Engine: "headers"})

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := spoe.ListenAndServe(ctx, *listen, r); err != nil {
		log.Fatal(err)
	}
}

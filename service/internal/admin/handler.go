package admin

import (
	"context"
	"fmt"
	"net/http"
	"net/http/pprof"
)

// Config has the pages and settings.
type Config struct {
	// Ready returns why the agent should get no requests now, or nil. Any number
	// of goroutines call it.
	Ready   func(context.Context) error
	Metrics http.Handler
	Pprof   bool
	// More has other pages.
	More *http.ServeMux
	// Token protects all pages except /healthz and /readyz. If it is empty, requests
	// need no token, and must not be for a host name other than localhost.
	Token string
}

// Handler answers
//
//	/healthz  200 as long as the program runs: restart it if it does not answer
//	/readyz   200, or 503 with the reason why it should get no requests now
//	/metrics  metrics for Prometheus
//	/debug/pprof/  profiles, if the Config enables them
func Handler(c Config) http.Handler {
	pages := c.More
	if pages == nil {
		pages = http.NewServeMux()
	}
	pages.Handle("GET /metrics", c.Metrics)
	if c.Pprof {
		pages.HandleFunc("GET /debug/pprof/", pprof.Index)
		pages.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
		pages.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		pages.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
		pages.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := c.Ready(r.Context()); err != nil {
			say(w, http.StatusServiceUnavailable, "not ready: "+err.Error())
			return
		}
		say(w, http.StatusOK, "ready")
	})
	mux.Handle("/", guard(c.Token, pages))
	return mux
}

func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	fmt.Fprintln(w, text)
}

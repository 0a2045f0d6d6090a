package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// mirror shows examples/mirror with a site that gets copies.
var mirror = scene{
	dir:  "examples/mirror",
	env:  "MIRROR",
	note: "The agent logs each copy.",
	site: func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "This is the origin. %s\n", seen.add("origin", r))
	},
	visits: []visit{
		{status: 200, origin: "GET / \"\"\n", why: "answered, and copied"},
		{target: "/a%2Fb?c=d", status: 200, origin: "GET /a%2Fb?c=d \"\"\n", why: "copied with its escapes"},
		{target: "/form", body: "name=Maier", status: 200, origin: "POST /form \"name=Maier\"\n", why: "copied with its body"},
	},
	prepare: startMirror,
	proof:   provenCopies,
}

// seen has the requests of the origin and of the mirror.
var seen requestLog

// requestLog counts requests by who got them.
type requestLog struct {
	mu sync.Mutex                // guards by
	by map[string]map[string]int // origin or mirror, and the request
}

func (l *requestLog) add(who string, r *http.Request) string {
	body, _ := io.ReadAll(r.Body) // a body that is cut shows
	request := fmt.Sprintf("%s %s %q", r.Method, r.RequestURI, body)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.by == nil {
		l.by = map[string]map[string]int{"origin": {}, "mirror": {}}
	}
	l.by[who][request]++
	return request
}

// missing returns a request that the mirror has not as often as the origin, or "", and
// how many requests the mirror has.
func (l *requestLog) missing() (request string, copies int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range l.by["mirror"] {
		copies += n
	}
	for request, n := range l.by["origin"] {
		if l.by["mirror"][request] != n {
			return request, copies
		}
	}
	return "", copies
}

// startMirror starts the site that gets copies, and returns the agent's flags.
func startMirror(_ context.Context, d *demo, _ *group, _ string) ([]string, error) {
	addr, err := d.freeAddr("127.0.0.1:8082", "the mirror")
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	server := &http.Server{ReadHeaderTimeout: askLimit, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		seen.add("mirror", r)
	})}
	go func() { _ = server.Serve(listener) }() // ends with the program
	d.out.printf("A site that gets copies is on %s.", addr)
	return []string{"-url", "http://" + addr, "-log-copies"}, nil
}

// provenCopies waits until the mirror gets every request that the origin has.
func provenCopies(string) (string, error) {
	for begun := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		request, copies := seen.missing()
		if request == "" {
			return fmt.Sprintf("The mirror has the same as the origin: %d copies, byte for byte.", copies), nil
		}
		if time.Since(begun) > askLimit {
			return "", fmt.Errorf("the mirror has %s not as often as the origin", request)
		}
	}
}

package main

import (
	"net"
	"net/http"

	"github.com/spoke-go/spoke/inspect"
)

// page is the page of package inspect, served on an address of its own. A nil page
// is none.
type page struct {
	*inspect.Page
	listener net.Listener
	server   *http.Server
	ended    chan struct{} // closed when Serve returns
}

func newPage(c config) (*page, error) {
	if !c.inspect {
		return nil, nil
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &page{Page: inspect.New(inspect.Config{Name: "bench"}), listener: listener, ended: make(chan struct{})}
	p.server = &http.Server{Handler: p.Page}
	go func() { // ended by close, which waits for it
		defer close(p.ended)
		_ = p.server.Serve(listener)
	}()
	return p, nil
}

// url returns the page's address, or "".
func (p *page) url() string {
	if p == nil {
		return ""
	}
	return "http://" + p.listener.Addr().String() + "/"
}

func (p *page) close() {
	if p == nil {
		return
	}
	_ = p.server.Close()
	<-p.ended
}

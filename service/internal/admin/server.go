package admin

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/netutil"
)

// Limits of a server. Pages that stream lift the write timeout themselves.
const (
	readTimeout  = 5 * time.Second
	writeTimeout = 30 * time.Second
	idleTimeout  = 30 * time.Second

	maxHeader = 16 << 10 // bytes
	// maxConnections bounds the file descriptors that clients of /healthz can hold: the
	// agent needs some for HAProxy. Other connections wait until one closes.
	maxConnections = 256
)

// Server serves a handler.
type Server struct {
	http  *http.Server
	ended chan struct{} // closed when Serve returns
}

// Start serves until Stop.
func Start(listener net.Listener, handler http.Handler, log *slog.Logger) *Server {
	s := &Server{
		http: &http.Server{
			Handler:        handler,
			MaxHeaderBytes: maxHeader, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
			ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		},
		ended: make(chan struct{}),
	}
	go func() { // ends with Stop, which waits for it
		defer close(s.ended)
		if err := s.http.Serve(netutil.LimitListener(listener, maxConnections)); !errors.Is(err, http.ErrServerClosed) {
			log.Error("the admin address failed", "address", listener.Addr().String(), "error", err)
		}
	}()
	return s
}

// Stop answers the requests in flight, until ctx ends, and ends the server.
func (s *Server) Stop(ctx context.Context) {
	if s.http.Shutdown(ctx) != nil {
		s.http.Close()
	}
	<-s.ended
}

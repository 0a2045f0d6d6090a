package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/spoke-go/spoke/spoe"
)

// Limits of the server for an agent's own pages.
const (
	pagesHeaderTimeout = 10 * time.Second
	pagesReadTimeout   = 30 * time.Second
	pagesWriteTimeout  = time.Minute
	pagesIdleTimeout   = 2 * time.Minute
	pagesStopTimeout   = 5 * time.Second

	pagesMaxHeader = 64 << 10 // bytes
)

// Serve serves the agent's own HTTP pages, such as a login or a block page, to which
// HAProxy routes requests ([haproxy.Pages] writes HAProxy's part). It serves as long as Go
// runs work, so -t and -print-config do not listen. The address is as for [spoe.Listen];
// the program logs the actual one as msg=pages. The program ends if Serve cannot listen.
func (s *Setup[C]) Serve(addr string, pages http.Handler) {
	s.Go(func(ctx context.Context) error {
		l, err := spoe.Listen(addr)
		if err != nil {
			return fmt.Errorf("cannot serve the agent's pages: %w", err)
		}
		s.Log.Info("pages", "address", l.Addr().String())
		server := &http.Server{
			Handler: pages, MaxHeaderBytes: pagesMaxHeader, ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelWarn),
			ReadHeaderTimeout: pagesHeaderTimeout, ReadTimeout: pagesReadTimeout, WriteTimeout: pagesWriteTimeout, IdleTimeout: pagesIdleTimeout,
		}
		stopped := make(chan struct{})
		stop := context.AfterFunc(ctx, func() {
			defer close(stopped)
			ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), pagesStopTimeout)
			defer cancel()
			if server.Shutdown(ending) != nil {
				server.Close()
			}
		})
		err = server.Serve(l)
		if !stop() {
			<-stopped // it still sends answers
		}
		if errors.Is(err, http.ErrServerClosed) {
			return nil
		}
		return err
	})
}

package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/spoke-go/spoke/examples/ip-reputation/internal/admin"
)

// adminStopTimeout is how long a scrape may go on once the agent has ended.
const adminStopTimeout = time.Second

// startAdmin serves /healthz, /readyz and /metrics where -admin-addr says. What
// it returns ends that.
func startAdmin(ctx context.Context, c config, log *slog.Logger, metrics http.Handler, ready func() error) (stop func(), err error) {
	if c.adminAddr == "" {
		return func() {}, nil
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", c.adminAddr)
	if err != nil {
		return nil, fmt.Errorf("cannot serve /metrics, /healthz and /readyz: %w (-admin-addr sets the address, or off)", err)
	}
	server := admin.Start(listener, admin.Handler(ready, metrics), log)
	log.Info("admin", "address", listener.Addr().String())
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), adminStopTimeout)
		defer cancel()
		server.Stop(ctx)
	}, nil
}

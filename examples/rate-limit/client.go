package main

import (
	"context"
	"crypto/tls"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// client returns a client of Redis, which connects when it is used. Each new connection
// takes the current TLS configuration.
func (r Redis) client(tlsConfig func() *tls.Config) redis.UniversalClient {
	redis.SetLogger(silence{})
	options := &redis.UniversalOptions{
		Addrs: r.Address, MasterName: r.Master, IsClusterMode: r.Cluster,
		Username: r.Username, Password: r.Password.Reveal(), SentinelPassword: r.SentinelPassword.Reveal(), DB: r.DB,
		ClientName: "rate-limit",
		// The store decides when to try again, and how long that takes.
		MaxRetries: -1, DialerRetries: 1, ContextTimeoutEnabled: true,
		DialTimeout: max(r.Deadline, 100*time.Millisecond), ReadTimeout: r.Deadline, WriteTimeout: r.Deadline,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	if r.TLS {
		options.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
			d := tls.Dialer{NetDialer: &net.Dialer{Timeout: options.DialTimeout}, Config: tlsConfig()}
			return d.DialContext(ctx, network, addr)
		}
	}
	return redis.NewUniversalClient(options)
}

// silence keeps the client from logging each connection that fails: the agent logs each
// change.
type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}

package main

import (
	"context"
	"crypto/tls"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/spoke-go/spoke/service"
)

// client returns a client of Redis, which connects when it is used. Each connection asks
// for the TLS configuration of its moment.
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

// deriveTLS reads the files of TLS now, and again whenever one of them changes.
func deriveTLS(s *service.Setup[Config]) (*service.Derived[*tls.Config], error) {
	s.Watch(func(c *Config) []string { return []string{c.Redis.CA, c.Redis.Cert, c.Redis.Key} })
	return s.Derive(func(_ context.Context, c *Config) (*tls.Config, error) {
		roots, err := service.CertPool(c.Redis.CA)
		config := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
		if err == nil && c.Redis.Cert != "" {
			config.Certificates = make([]tls.Certificate, 1)
			config.Certificates[0], err = tls.LoadX509KeyPair(c.Redis.Cert, c.Redis.Key)
		}
		return config, err
	})
}

// silence keeps the client from writing a line for each connection that fails: the agent
// has one for each change.
type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}

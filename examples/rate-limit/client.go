package main

import (
	"context"
	"crypto/tls"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// client returns a client of Redis, which connects when it is used, or nil where there is
// none.
func (r Redis) client() redis.UniversalClient {
	if len(r.Address) == 0 {
		return nil
	}
	redis.SetLogger(silence{})
	options := &redis.UniversalOptions{
		Addrs: r.Address, MasterName: r.Master, IsClusterMode: r.Cluster,
		Username: r.Username, Password: r.Password.Reveal(), DB: r.DB,
		ClientName: "rate-limit",
		// The store decides when to try again, and how long that takes.
		MaxRetries: -1, DialerRetries: 1, ContextTimeoutEnabled: true,
		DialTimeout: max(r.Deadline, 100*time.Millisecond), ReadTimeout: r.Deadline, WriteTimeout: r.Deadline,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	if r.TLS {
		options.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return redis.NewUniversalClient(options)
}

// silence keeps the client from writing a line for each connection that fails: the agent
// has one for each change.
type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}

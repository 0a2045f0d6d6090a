package main

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/spoke-go/spoke/service"
)

// RedisConfig is where agents tell each other which sessions have been ended.
type RedisConfig struct {
	URL   service.Secret `conf:",fixed" value:"URL" help:"redis://user:password@host:6379/0, or rediss:// with TLS; without it a logout only deletes the browser's cookie"`
	Key   string         `conf:",fixed" help:"the stream's name"`
	Stale time.Duration  `conf:",fixed" min:"2s" help:"how long sessions are taken while Redis does not answer; after that the answer is 503"`
}

var redisDefaults = RedisConfig{Key: "sso:revoked", Stale: time.Minute}

// revoked are the sessions that were ended. A stream in Redis has them; each agent reads
// it from its beginning and then waits for more, so that no request waits for Redis.
// A nil *revoked has none.
type revoked struct {
	RedisConfig
	client   *redis.Client
	lifetime func() time.Duration // of the longest session
	log      *slog.Logger
	now      func() time.Time
	heard    atomic.Int64 // when Redis has answered; nanoseconds since 1970

	mu sync.RWMutex     // guards at
	at map[string]int64 // when, in seconds since 1970
}

func newRevoked(c RedisConfig, lifetime func() time.Duration, log *slog.Logger, now func() time.Time) (*revoked, error) {
	if c.URL.Reveal() == "" {
		return nil, nil
	}
	o, err := redis.ParseURL(c.URL.Reveal())
	if err != nil {
		return nil, service.Wrong("redis.url", "is no address of a Redis: write redis://host:6379/0")
	}
	return &revoked{RedisConfig: c, client: redis.NewClient(o), lifetime: lifetime, log: log, now: now, at: make(map[string]int64)}, nil
}

func (r *revoked) stores() bool { return r != nil }

// fresh reports whether Redis has answered within Stale. Until it has answered
// once nothing is known.
func (r *revoked) fresh() bool {
	return r == nil || r.now().UnixNano()-r.heard.Load() < int64(r.Stale)
}

// has reports whether a session was ended.
func (r *revoked) has(s *session) bool {
	if r == nil {
		return false
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	if _, ok := r.at["id "+s.ID]; ok {
		return true
	}
	if s.SID != "" {
		if _, ok := r.at["sid "+s.Provider+" "+s.SID]; ok {
			return true
		}
	}
	// All sessions of a user that began before; later ones are new logins.
	at, ok := r.at["sub "+s.Provider+" "+s.Subject]
	return ok && s.Began <= at
}

// add ends a session for all agents.
func (r *revoked) add(ctx context.Context, what string, now time.Time) error {
	if r == nil {
		return nil
	}
	r.put(what, now.Unix())
	oldest := strconv.FormatInt(now.Add(-r.lifetime()-leeway).UnixMilli(), 10)
	return r.client.XAdd(ctx, &redis.XAddArgs{Stream: r.Key, MinID: oldest, Approx: true,
		Values: map[string]any{"what": what, "at": now.Unix()}}).Err()
}

func (r *revoked) put(what string, at int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at[what] = max(at, r.at[what])
}

// read follows the stream until ctx ends.
func (r *revoked) read(ctx context.Context) error {
	defer r.client.Close()
	next, swept := "0", r.now()
	wait := time.Duration(-1) // not for the first answer
	for ctx.Err() == nil {
		streams, err := r.client.XRead(ctx, &redis.XReadArgs{Streams: []string{r.Key, next}, Count: 1000, Block: wait}).Result()
		if err != nil && err != redis.Nil {
			if ctx.Err() == nil && r.fresh() {
				r.log.Warn("Redis does not answer; sessions that other agents end are not known", "error", err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(500 * time.Millisecond):
			}
			continue
		}
		for _, stream := range streams {
			for _, m := range stream.Messages {
				next = m.ID
				what, _ := m.Values["what"].(string)
				text, _ := m.Values["at"].(string)
				at, _ := strconv.ParseInt(text, 10, 64)
				r.put(what, at)
			}
		}
		if len(streams) == 0 || len(streams[0].Messages) < 1000 { // it has been read to its end
			r.heard.Store(r.now().UnixNano())
			wait = time.Second
		}
		if now := r.now(); now.Sub(swept) > time.Minute {
			swept = now
			r.sweep(now.Add(-r.lifetime() - leeway).Unix())
		}
	}
	return nil
}

// sweep forgets entries that are older than each session.
func (r *revoked) sweep(before int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for what, at := range r.at {
		if at < before {
			delete(r.at, what)
		}
	}
}

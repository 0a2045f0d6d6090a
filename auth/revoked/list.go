package revoked

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

// Config are the settings of a list: part of the settings of an agent on package service.
type Config struct {
	URL   service.Secret `conf:",fixed" value:"URL" help:"redis://user:password@host:6379/0, or rediss:// with TLS; without it a logout only deletes the browser's cookie"`
	Key   string         `conf:",fixed" help:"the stream's name"`
	Stale time.Duration  `conf:",fixed" min:"2s" help:"how long sessions are taken while Redis does not answer; after that the answer is 503"`
}

// Defaults returns the settings to start from.
func Defaults() Config { return Config{Key: "sso:revoked", Stale: time.Minute} }

// Validate refuses a text that is not an address. An empty one means that there is no list.
func (c Config) Validate() error {
	if _, err := redis.ParseURL(c.URL.Reveal()); err != nil && c.URL.Reveal() != "" {
		return service.Wrong("url", "is no address of a Redis: write redis://host:6379/0")
	}
	return nil
}

// page is the maximum number of entries of the stream that one read returns.
const page = 1000

// List is a list of names with the time at which each was added. A nil *List is empty, and
// Add does nothing. Several goroutines may use one.
type List struct {
	Config
	client *redis.Client
	keep   func() time.Duration
	log    *slog.Logger
	now    func() time.Time
	heard  atomic.Int64 // the last answer of Redis; nanoseconds since 1970

	mu sync.RWMutex // guards at
	at map[string]int64
}

// New returns a list, or nil if the settings name no Redis. keep returns the time for which
// the list keeps a name.
func New(c Config, keep func() time.Duration, log *slog.Logger, now func() time.Time) (*List, error) {
	if c.URL.Reveal() == "" {
		return nil, nil
	}
	o, err := redis.ParseURL(c.URL.Reveal())
	if err != nil {
		return nil, err
	}
	return &List{Config: c, client: redis.NewClient(o), keep: keep, log: log, now: now, at: make(map[string]int64)}, nil
}

// Fresh reports whether Redis answered within Stale. Before the first answer, the list has
// no names.
func (l *List) Fresh() bool {
	return l == nil || l.now().UnixNano()-l.heard.Load() < int64(l.Stale)
}

// At returns when a name was added, in seconds since 1970, and whether it was.
func (l *List) At(name string) (at int64, ok bool) {
	if l == nil {
		return 0, false
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	at, ok = l.at[name]
	return at, ok
}

// Add adds a name for all agents. After an error only this agent has it.
func (l *List) Add(ctx context.Context, name string) error {
	if l == nil {
		return nil
	}
	now := l.now()
	l.put(name, now.Unix())
	oldest := strconv.FormatInt(now.Add(-l.keep()).UnixMilli(), 10)
	return l.client.XAdd(ctx, &redis.XAddArgs{Stream: l.Key, MinID: oldest, Approx: true,
		Values: map[string]any{"what": name, "at": now.Unix()}}).Err()
}

func (l *List) put(name string, at int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at[name] = max(at, l.at[name])
}

// Run follows the stream until ctx ends.
func (l *List) Run(ctx context.Context) error {
	if l == nil {
		return nil
	}
	defer l.client.Close()
	next, swept := "0", l.now()
	wait := time.Duration(-1) // not for the first answer
	for ctx.Err() == nil {
		streams, err := l.client.XRead(ctx, &redis.XReadArgs{Streams: []string{l.Key, next}, Count: page, Block: wait}).Result()
		if err != nil && err != redis.Nil {
			if ctx.Err() == nil && l.Fresh() {
				l.log.Warn("Redis does not answer; sessions that other agents end are not known", "error", err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(500 * time.Millisecond):
			}
			continue
		}
		n := 0
		for _, stream := range streams {
			for _, m := range stream.Messages {
				n, next = n+1, m.ID
				name, _ := m.Values["what"].(string)
				text, _ := m.Values["at"].(string)
				at, _ := strconv.ParseInt(text, 10, 64)
				l.put(name, at)
			}
		}
		if n < page { // the end of the stream
			l.heard.Store(l.now().UnixNano())
			wait = time.Second
		}
		if now := l.now(); now.Sub(swept) > time.Minute {
			swept = now
			l.forget(now.Add(-l.keep()).Unix())
		}
	}
	return nil
}

// forget removes the names that were added before a time.
func (l *List) forget(before int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, at := range l.at {
		if at < before {
			delete(l.at, name)
		}
	}
}

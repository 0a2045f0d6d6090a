package inspect

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spoke-go/spoke/internal/secret"
)

// lingers is the time for which messages are counted after the last browser leaves.
// Browsers reconnect sooner.
const lingers = 10 * time.Second

// Page is the page: an http.Handler and the source of the middleware that feeds
// it. Create it with [New].
type Page struct {
	cfg     Config
	secrets secret.Names

	epoch time.Time // the start of all times, which saves reading the wall clock

	// viewers are the open pages. A list never changes; another one replaces it. It is
	// nil while messages are not counted.
	viewers atomic.Pointer[[]*viewer]

	joinMu sync.Mutex // guards the fields below, and writing to viewers
	since  time.Time  // when counting began
	linger *time.Timer
	closed bool
	done   chan struct{} // closed by Close

	counts  counts
	slowest slowest
}

// New returns a page.
func New(cfg Config) *Page {
	if cfg.Name == "" {
		cfg.Name = "agent"
	}
	if cfg.Addr == "" {
		cfg.Addr = "127.0.0.1:9000"
	}
	if cfg.MaxViewers <= 0 {
		cfg.MaxViewers = 16
	}
	return &Page{
		cfg:     cfg,
		secrets: secret.NewNames(cfg.Secrets),
		epoch:   time.Now(),
		done:    make(chan struct{}),
	}
}

// Close ends the streams to all browsers and refuses new ones. An http.Server's
// Shutdown waits for streams that are open; register Close with its
// RegisterOnShutdown.
func (p *Page) Close() error {
	p.joinMu.Lock()
	defer p.joinMu.Unlock()
	if !p.closed {
		p.closed = true
		close(p.done)
		p.stopLocked()
	}
	return nil
}

// join adds a viewer and reports whether there was a place for it.
func (p *Page) join(v *viewer) bool {
	p.joinMu.Lock()
	defer p.joinMu.Unlock()
	before := p.viewers.Load()
	if p.closed || before != nil && len(*before) >= p.cfg.MaxViewers {
		return false
	}
	if p.linger != nil {
		p.linger.Stop()
	}
	after := []*viewer{v}
	if before == nil {
		p.since = time.Now()
		p.counts.reset()
		p.slowest.reset()
	} else {
		after = append(after, *before...)
	}
	p.viewers.Store(&after)
	return true
}

// leave removes a viewer. Counting continues for a while after the last one: its
// browser may reconnect with another filter.
func (p *Page) leave(v *viewer) {
	p.joinMu.Lock()
	defer p.joinMu.Unlock()
	before := p.viewers.Load()
	if before == nil {
		return
	}
	after := slices.DeleteFunc(slices.Clone(*before), func(x *viewer) bool { return x == v })
	p.viewers.Store(&after)
	if len(after) > 0 {
		return
	}
	if p.linger != nil {
		p.linger.Stop()
	}
	p.linger = time.AfterFunc(lingers, func() {
		p.joinMu.Lock()
		defer p.joinMu.Unlock()
		if now := p.viewers.Load(); now != nil && len(*now) == 0 {
			p.stopLocked()
		}
	})
}

func (p *Page) stopLocked() {
	p.viewers.Store(nil)
	if p.linger != nil {
		p.linger.Stop()
	}
}

func (p *Page) countingSince() time.Time {
	p.joinMu.Lock()
	defer p.joinMu.Unlock()
	return p.since
}

// looking returns the number of open pages.
func (p *Page) looking() int {
	viewers := p.viewers.Load()
	if viewers == nil {
		return 0
	}
	return len(*viewers)
}

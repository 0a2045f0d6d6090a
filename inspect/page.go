package inspect

import (
	"sync"
	"sync/atomic"
	"time"
)

// Page is the page: an http.Handler and the source of the middleware that feeds
// it. Create it with [New].
type Page struct {
	cfg     Config
	secrets map[string]bool

	looking atomic.Int32 // how many viewers there are; 0: messages pass untouched

	viewersMu sync.RWMutex // guards what follows
	viewers   map[*viewer]struct{}
	since     time.Time // when counting began
	closed    bool
	done      chan struct{} // closed by Close

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
		secrets: newSecrets(cfg.Secrets),
		viewers: map[*viewer]struct{}{},
		done:    make(chan struct{}),
	}
}

// Close ends the streams to all browsers and refuses new ones. An http.Server's
// Shutdown waits for streams that are open; register Close with its
// RegisterOnShutdown.
func (p *Page) Close() error {
	p.viewersMu.Lock()
	defer p.viewersMu.Unlock()
	if !p.closed {
		p.closed = true
		close(p.done)
	}
	return nil
}

// join adds a viewer and reports whether there was a place for it.
func (p *Page) join(v *viewer) bool {
	p.viewersMu.Lock()
	defer p.viewersMu.Unlock()
	if p.closed || len(p.viewers) >= p.cfg.MaxViewers {
		return false
	}
	if len(p.viewers) == 0 {
		p.since = time.Now()
		p.counts.reset()
		p.slowest.reset()
	}
	p.viewers[v] = struct{}{}
	p.looking.Store(int32(len(p.viewers)))
	return true
}

func (p *Page) leave(v *viewer) {
	p.viewersMu.Lock()
	defer p.viewersMu.Unlock()
	delete(p.viewers, v)
	p.looking.Store(int32(len(p.viewers)))
}

func (p *Page) countingSince() time.Time {
	p.viewersMu.RLock()
	defer p.viewersMu.RUnlock()
	return p.since
}

package router

import (
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/spoke-go/spoke/codec"
)

// mistyped notes arguments of a route whose type their field never takes. Binding
// continues without them, so only a log line reports the mistake.
type mistyped struct {
	pending atomic.Bool // fresh is not empty

	mu    sync.Mutex // guards the rest
	known map[int]bool
	fresh []mistype
}

type mistype struct {
	field int // index in RouteInfo.Args
	got   codec.Type
}

// note keeps the first such argument of each field. The decoder calls it.
func (m *mistyped) note(field int, got codec.Type) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known[field] {
		return
	}
	if m.known == nil {
		m.known = make(map[int]bool)
	}
	m.known[field] = true
	m.fresh = append(m.fresh, mistype{field, got})
	m.pending.Store(true)
}

// warn logs each field of the route once, without values.
func (m *mistyped) warn(log *slog.Logger, info *RouteInfo) {
	m.mu.Lock()
	fresh := m.fresh
	m.fresh = nil
	m.pending.Store(false)
	m.mu.Unlock()
	if len(fresh) == 0 { // another message logged them
		return
	}
	if log == nil {
		log = slog.Default()
	}
	// A logger that blocks must not delay the ACK. No function waits for the goroutine.
	// It ends after the last line, and a route starts at most one for each field.
	go func() {
		for _, f := range fresh {
			arg := info.Args[f.field]
			log.Warn("router: an argument has a type that its field never takes: the field stays empty; change the sample in HAProxy's configuration or the type of the field",
				"message", info.Message, "argument", arg.Name, "position", arg.Pos, "type", f.got.String(),
				"field", arg.Field, "field_type", arg.Type.String(), "registered", info.Site)
		}
	}()
}

package router

import (
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/spoke-go/spoke/codec"
)

// mistyped notes the arguments of a route that came with a type which their field never
// takes. Binding goes on without them, so that only a log line tells of the mistake.
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

// note is called by the decoder. It keeps the first argument of each field.
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

// warn logs the new ones: once for each field of the route, without values.
func (m *mistyped) warn(log *slog.Logger, info *RouteInfo) {
	m.mu.Lock()
	fresh := m.fresh
	m.fresh = nil
	m.pending.Store(false)
	m.mu.Unlock()
	if len(fresh) == 0 { // another message was faster
		return
	}
	if log == nil {
		log = slog.Default()
	}
	// A logger that blocks must not hold up the ACK. No function waits for the goroutine.
	// It ends with the last line, and a route starts no more of them than it has fields.
	go func() {
		for _, f := range fresh {
			arg := info.Args[f.field]
			log.Warn("router: an argument has a type that its field never takes: the field stays empty; change the sample in HAProxy's configuration or the type of the field",
				"message", info.Message, "argument", arg.Name, "position", arg.Pos, "type", f.got.String(),
				"field", arg.Field, "field_type", arg.Type.String(), "registered", info.Site)
		}
	}()
}

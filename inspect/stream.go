package inspect

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/spoke-go/spoke/internal/safetext"
	"github.com/spoke-go/spoke/spoe"
)

const (
	statsEvery   = time.Second
	samplesEvery = 100 * time.Millisecond // samples are sent together
	maxBatch     = 64 << 10               // bytes; a larger buffer is not kept
	writeTimeout = 10 * time.Second       // for a browser that does not read
)

// stats has the numbers that a page gets once a second.
type stats struct {
	Now         time.Time      `json:"now"`
	Since       time.Time      `json:"since"`
	Messages    []messageStats `json:"messages"`
	Slowest     []*sample      `json:"slowest"`
	Agent       *spoe.Stats    `json:"agent"`
	Closings    []closing      `json:"closings"`
	Connections []connection   `json:"connections"` // nil: unknown
	Viewers     int            `json:"viewers"`
	Skipped     uint64         `json:"skipped"`
	Lost        uint64         `json:"lost"`
}

// stream sends server-sent events until the browser leaves or the page is closed.
func (p *Page) stream(w http.ResponseWriter, r *http.Request) {
	v := newViewer(r.URL.Query())
	if !p.join(v) {
		http.Error(w, "too many pages are open, or the agent is shutting down; close a page and try again", http.StatusServiceUnavailable)
		return
	}
	defer p.leave(v)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	control := http.NewResponseController(w)
	stats := time.NewTicker(statsEvery)
	defer stats.Stop()
	samples := time.NewTicker(samplesEvery)
	defer samples.Stop()
	batch, err := appendEvent(nil, "stats", p.stats(v))
	for err == nil {
		// An error means a writer without deadlines, such as a test's.
		_ = control.SetWriteDeadline(time.Now().Add(writeTimeout))
		if _, err = w.Write(batch); err == nil {
			err = control.Flush()
		}
		if cap(batch) > maxBatch {
			batch = nil
		}
		for batch = batch[:0]; err == nil && len(batch) == 0; {
			select {
			case <-r.Context().Done():
				return
			case <-p.done:
				return
			case <-stats.C:
				batch, err = appendEvent(batch, "stats", p.stats(v))
			case <-samples.C:
				batch, err = v.appendSamples(batch)
			}
		}
	}
}

// appendSamples appends the samples that wait for the viewer.
func (v *viewer) appendSamples(b []byte) ([]byte, error) {
	for {
		select {
		case s := <-v.samples:
			var err error
			if b, err = appendEvent(b, "sample", s); err != nil {
				return b, err
			}
		default:
			return b, nil
		}
	}
}

// appendEvent appends a server-sent event.
func appendEvent(b []byte, event string, data any) ([]byte, error) {
	text, err := json.Marshal(data)
	return fmt.Appendf(b, "event: %s\ndata: %s\n\n", event, text), err
}

func (p *Page) stats(v *viewer) stats {
	now := time.Now()
	s := stats{
		Now: now, Since: p.countingSince(), Messages: p.counts.snapshot(now), Slowest: p.slowest.snapshot(now),
		Viewers: p.looking(), Skipped: v.skipped.Load(), Lost: v.lost.Load(),
	}
	if p.cfg.Agent != nil {
		a := p.cfg.Agent.Stats()
		s.Agent, s.Closings = &a, closings(a)
		s.Connections = connections(p.cfg.Agent)
	}
	return s
}

// maxConnections is the maximum number of connections that a page shows.
const maxConnections = 256

// connections returns the open connections of a, the oldest first.
func connections(a *spoe.Agent) []connection {
	infos := a.Connections()
	slices.SortFunc(infos, func(a, b spoe.ConnInfo) int { return a.Since.Compare(b.Since) })
	shown := []connection{}
	for _, c := range infos[:min(len(infos), maxConnections)] {
		peer := ""
		if c.Peer != nil {
			peer = safetext.Clip(c.Peer.String(), 128)
		}
		shown = append(shown, connection{
			Peer: peer, EngineID: c.EngineID, Applet: c.Applet, Since: c.Since, InFlight: c.InFlight,
			MaxFrameSize: c.MaxFrameSize, Fragments: c.Fragments, Phase: c.Phase,
		})
	}
	return shown
}

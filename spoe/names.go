package spoe

import (
	"sync"
	"sync/atomic"
)

// names keeps one string for each message name seen, so that a message's Name costs no
// allocation and is safe to keep. It is bounded: HAProxy has a handful of names; a message
// with another name allocates its string.
type names struct {
	known atomic.Pointer[map[string]string]
	mu    sync.Mutex // guards replacing known
}

const (
	maxNames      = 512
	maxNameLength = 128
)

func (n *names) get(b []byte) string {
	if m := n.known.Load(); m != nil {
		if s, ok := (*m)[string(b)]; ok {
			return s
		}
	}
	return n.add(string(b))
}

func (n *names) add(s string) string {
	if len(s) > maxNameLength {
		return s
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	m := make(map[string]string)
	if old := n.known.Load(); old != nil {
		if len(*old) >= maxNames {
			return s
		}
		for k := range *old {
			m[k] = k
		}
	}
	m[s] = s
	n.known.Store(&m)
	return s
}

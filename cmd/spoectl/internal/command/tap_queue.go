package command

import "sync"

// queue holds events between the connections and a reader that may be slow or
// stuck, such as a terminal or a disk. put never waits: traffic must not depend on
// the reader. A full queue refuses events and counts them.
type queue struct {
	room int // bytes of frames and text that it holds at most

	mu     sync.Mutex
	events []event
	size   int // bytes in events
	lost   int // frames refused since the last take
	closed bool
	wake   chan struct{} // has a value where there is something to take
}

func newQueue(room int) *queue { return &queue{room: room, wake: make(chan struct{}, 1)} }

// overhead is the approximate size of an event without its frame, in bytes.
const overhead = 128

func (q *queue) put(e event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	size := len(e.Frame) + len(e.text) + overhead
	if q.size+size > q.room {
		q.lost++
		return
	}
	q.events = append(q.events, e)
	q.size += size
	q.signalLocked()
}

// close lets take return false once the queue is empty.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.signalLocked()
}

func (q *queue) signalLocked() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take waits for events and returns all there are. lost is the number of events
// that were refused since the last call; they came after these.
func (q *queue) take() (events []event, lost int, ok bool) {
	for {
		q.mu.Lock()
		events, lost, closed := q.events, q.lost, q.closed
		q.events, q.size, q.lost = nil, 0, 0
		q.mu.Unlock()
		if len(events) > 0 || lost > 0 {
			return events, lost, true
		}
		if closed {
			return nil, 0, false
		}
		<-q.wake
	}
}

// left returns how many events were never taken.
func (q *queue) left() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.events) + q.lost
}

package spoe

import "sync"

// buffer is a byte slice that pools can hold without allocating.
type buffer struct{ b []byte }

const (
	// readSize is the size of one read: some 200 NOTIFYs.
	readSize = 32 << 10
	// maxPooled is the size above which a buffer is left to the garbage
	// collector, so that one large frame does not stay in memory for ever.
	maxPooled = 64 << 10
)

var (
	readBuffers  = sync.Pool{New: func() any { return &buffer{make([]byte, readSize)} }}
	writeBuffers = sync.Pool{New: func() any { return &buffer{make([]byte, 0, 4<<10)} }}
)

func putWriteBuffer(b *buffer) {
	if cap(b.b) <= maxPooled {
		b.b = b.b[:0]
		writeBuffers.Put(b)
	}
}

package spoe

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
)

// announced is the beginning of a frame of n bytes, with more behind it.
func announced(n uint32, more int) []byte {
	return append(binary.BigEndian.AppendUint32(nil, n), make([]byte, more)...)
}

// readerOf is a reader with unread bytes behind read ones.
func readerOf(read int, unread []byte, room int) *reader {
	b := append(append(make([]byte, read), unread...), make([]byte, room)...)
	return &reader{buf: &buffer{b}, from: read, to: read + len(unread)}
}

// next takes a frame if it is whole, and refuses a length that no frame has.
func TestReaderNext(t *testing.T) {
	const most = 300
	for _, tt := range []struct {
		name   string
		unread []byte
		frame  int
		status codec.Status
	}{
		{"nothing", nil, 0, 0},
		{"part of the length", []byte{0, 0, 0}, 0, 0},
		{"the length alone", announced(7, 0), 0, 0},
		{"a byte is missing", announced(7, 6), 0, 0},
		{"the shortest", announced(7, 7), 7, 0},
		{"too short", announced(6, 6), 0, codec.StatusInvalid},
		{"the longest", announced(most, most+5), most, 0},
		{"too long", announced(most+1, 0), 0, codec.StatusTooBig},
		{"as long as a length can be", announced(1<<32-1, 0), 0, codec.StatusTooBig},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := readerOf(3, tt.unread, 2)
			frame, ok, err := r.next(most)
			if tt.status != 0 {
				var bad *codec.Error
				require.ErrorAs(t, err, &bad)
				assert.Equal(t, tt.status, bad.Status)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.frame > 0, ok)
			assert.Len(t, frame, tt.frame)
			assert.Equal(t, tt.frame, cap(frame))
			if ok {
				assert.Equal(t, 3+4+tt.frame, r.from)
			} else {
				assert.Equal(t, 3, r.from)
			}
		})
	}
	frame, ok, err := new(reader).next(most)
	assert.Nil(t, frame)
	assert.False(t, ok)
	assert.NoError(t, err)
}

// want is the length of a frame that does not fit into one read.
func TestReaderWant(t *testing.T) {
	assert.Zero(t, new(reader).want())
	assert.Zero(t, readerOf(1, []byte{1, 0, 0}, 1).want())
	assert.Zero(t, readerOf(1, announced(readSize, 0), 1).want())
	assert.Equal(t, readSize+1, readerOf(1, announced(readSize+1, 0), 1).want())
	assert.True(t, readerOf(1, []byte{0}, 1).partial())
	assert.False(t, readerOf(1, nil, 1).partial())
	assert.False(t, new(reader).partial())
}

// makeSpace moves the unread bytes to the front, doubles a full buffer and leaves a large one
// that is no longer needed.
func TestReaderMakeSpace(t *testing.T) {
	r := new(reader)
	r.makeSpace()
	assert.Nil(t, r.buf)
	unread := []byte{0, 0, 0, 9, 1, 2}
	for _, tt := range []struct {
		name       string
		read, room int
		unread     []byte
		size       int // of the buffer; 0: there is none
	}{
		{"at the front", 0, 10, unread, 16},
		{"behind read bytes", 5, 10, unread, 21},
		{"behind read bytes, at the end", 5, 0, unread, 11},
		{"full", 0, 0, unread, 12},
		{"large and full", 0, 0, announced(1<<20, maxPooled), 2 * (maxPooled + 4)},
		{"large, for a large frame", 10, maxPooled, announced(readSize+1, 2), maxPooled + 16},
		{"large and empty", maxPooled, 1, nil, 0},
		{"as large as may be", maxPooled - 6, 0, unread, maxPooled},
		{"large, with little", maxPooled, 0, unread, readSize},
		{"large, with half of a read", maxPooled, 0, announced(readSize, readSize/2-4), readSize},
		{"large, with more", maxPooled, 0, announced(readSize, readSize/2-3), maxPooled + readSize/2 + 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := bytes.Clone(tt.unread)
			r := readerOf(tt.read, tt.unread, tt.room)
			r.makeSpace()
			assert.Zero(t, r.from)
			assert.Equal(t, len(want), r.to)
			if tt.size == 0 {
				assert.Nil(t, r.buf)
				return
			}
			assert.Len(t, r.buf.b, tt.size)
			assert.Equal(t, string(want), string(r.buf.b[:r.to]))
		})
	}
	r = readerOf(3, unread, 3)
	r.release()
	assert.Nil(t, r.buf)
	assert.Zero(t, r.from)
	assert.Zero(t, r.to)
}

// A connection without a file descriptor reads into a small buffer, which it keeps.
func TestReaderOfAPipe(t *testing.T) {
	peer, nc := net.Pipe()
	defer nc.Close()
	var r reader
	r.init(nc)
	assert.Nil(t, r.raw)
	go peer.Write([]byte("abc"))
	require.NoError(t, r.fill())
	assert.Len(t, r.buf.b, 4<<10)
	assert.Equal(t, "abc", string(r.buf.b[r.from:r.to]))
	go func() {
		peer.Write([]byte("de"))
		peer.Close()
	}()
	require.NoError(t, r.fill())
	assert.Equal(t, "abcde", string(r.buf.b[r.from:r.to]))
	assert.Equal(t, io.EOF, r.fill())
	n, err := r.peek()
	assert.Zero(t, n)
	assert.Equal(t, syscall.EAGAIN, err)
	assert.False(t, r.pending())
	assert.False(t, r.ended())
}

// A socket's reader has a buffer while there are bytes, and finds out what waits in the socket
// without taking it.
func TestReaderOfASocket(t *testing.T) {
	haproxy, agent := sockets(t)
	var r reader
	r.init(agent)
	require.NotNil(t, r.raw)
	assert.False(t, r.pending())
	assert.False(t, r.ended())
	_, err := haproxy.Write([]byte("abc"))
	require.NoError(t, err)
	assert.Eventually(t, r.pending, 30*time.Second, time.Millisecond)
	assert.False(t, r.ended())
	require.NoError(t, r.fill())
	assert.Equal(t, "abc", string(r.buf.b[r.from:r.to]))
	assert.Len(t, r.buf.b, readSize)
	assert.False(t, r.pending())

	r.from = r.to // all is handled
	time.AfterFunc(20*time.Millisecond, func() { haproxy.Write([]byte("d")) })
	require.NoError(t, r.fill())
	assert.Equal(t, "d", string(r.buf.b[r.from:r.to]))
	require.NoError(t, haproxy.CloseWrite())
	assert.Eventually(t, r.ended, 30*time.Second, time.Millisecond)
	assert.False(t, r.pending())
	assert.Equal(t, io.EOF, r.fill())
	agent.Close()
	assert.False(t, r.ended())
	assert.False(t, r.pending())
	assert.Error(t, r.fill())
}

// The reader reads again at once after a read that fills the buffer: bytes that are in the
// socket already do not wake it.
func TestReaderOfAFullBuffer(t *testing.T) {
	haproxy, agent := sockets(t)
	var r reader
	r.init(agent)
	const all = 2 * readSize
	_, err := haproxy.Write(make([]byte, all))
	require.NoError(t, err)
	waiting := make([]byte, all+1)
	require.Eventually(t, func() bool {
		var n int
		err := r.raw.Control(func(fd uintptr) {
			n, _, _ = syscall.Recvfrom(int(fd), waiting, syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		})
		return err == nil && n == all
	}, 30*time.Second, time.Millisecond)
	got := 0
	require.NoError(t, agent.SetReadDeadline(time.Now().Add(30*time.Second)))
	assert.Equal(t, errLast, r.each(func() error {
		got += r.to - r.from
		r.from, r.answers = r.to, true
		if got == all {
			return errLast
		}
		return nil
	}))
	assert.Equal(t, all, got)
}

// While a socket is empty its reader has no buffer, unless part of a frame is in it.
func TestReaderWaitsWithoutABuffer(t *testing.T) {
	haproxy, agent := sockets(t)
	var r reader
	r.init(agent)
	waits := func(data func() error) {
		t.Helper()
		require.NoError(t, agent.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
		assert.ErrorIs(t, r.each(data), os.ErrDeadlineExceeded)
		require.NoError(t, agent.SetReadDeadline(time.Time{}))
	}
	waits(nil)
	assert.Nil(t, r.buf)
	send := func(b byte) {
		_, err := haproxy.Write([]byte{b})
		require.NoError(t, err)
		require.Eventually(t, r.pending, 30*time.Second, time.Millisecond)
	}
	for _, answers := range []bool{true, false} {
		send(1)
		waits(func() error { r.from, r.answers = r.to, answers; return nil })
		assert.Nil(t, r.buf, "all is handled")
	}
	send('a')
	waits(func() error { r.answers = true; return nil })
	require.NotNil(t, r.buf)
	assert.Equal(t, "a", string(r.buf.b[r.from:r.to]))
	send('b')
	waits(func() error { return nil })
	assert.Equal(t, "ab", string(r.buf.b[r.from:r.to]))
}

// A reset ends the reading with its error.
func TestReaderOfAReset(t *testing.T) {
	haproxy, agent := sockets(t)
	var r reader
	r.init(agent)
	require.NoError(t, haproxy.SetLinger(0))
	require.NoError(t, haproxy.Close())
	assert.ErrorIs(t, r.fill(), syscall.ECONNRESET)
}

// All bytes of a write leave, however few they are. A write to a HAProxy that is gone fails.
func TestWriter(t *testing.T) {
	haproxy, agent := sockets(t)
	var r reader
	r.init(agent)
	var w writer
	w.init(r.raw)
	for _, n := range []int{1, 2, 1 << 20} {
		got := make(chan []byte, 1)
		go func() {
			b := make([]byte, n)
			_, _ = io.ReadFull(haproxy, b)
			got <- b
		}()
		b := bytes.Repeat([]byte{byte(n), 1}, (n+1)/2)[:n]
		require.NoError(t, w.write(agent, b))
		assert.True(t, bytes.Equal(b, <-got))
		assert.Nil(t, w.left)
	}
	require.NoError(t, haproxy.SetLinger(0))
	require.NoError(t, haproxy.Close())
	failed := make(chan error, 1)
	go func() {
		for {
			if err := w.write(agent, []byte{1}); err != nil {
				failed <- err
				return
			}
		}
	}()
	select {
	case err := <-failed:
		assert.True(t, isNormalEnd(err), err)
	case <-time.After(30 * time.Second):
		t.Error("the write does not fail")
	}
	agent.Close()
	assert.Error(t, w.write(agent, []byte{1}))
}

// While a socket's reader waits it has no buffer; part of a frame keeps it. A failed read or
// data ends the reading.
func TestReaderEach(t *testing.T) {
	haproxy, agent := sockets(t)
	var r reader
	r.init(agent)
	var got []byte
	rounds := make(chan bool)
	ended := make(chan error, 1)
	failed := &codec.Error{}
	go func() {
		ended <- r.each(func() error {
			got = append(got, r.buf.b[r.from:r.to]...)
			r.from, r.answers = r.to, <-rounds
			if string(got) == "abcd" {
				return failed
			}
			return nil
		})
	}()
	for i, answers := range []bool{true, false, true} {
		haproxy.Write([]byte{byte('a' + i)})
		rounds <- answers
	}
	haproxy.Write([]byte{'d'})
	rounds <- true
	assert.Same(t, failed, <-ended)
	haproxy.CloseWrite()
	assert.Equal(t, io.EOF, r.each(func() error { return nil }))
}

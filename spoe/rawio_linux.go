package spoe

import (
	"net"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// rawRead and rawWrite are read(2) and write(2) on a socket that does not block,
// behind the back of Go's scheduler. It would note the processor as being in a
// system call, and its monitor thread would wake up for each after a pause; that
// was 13 to 16 % of what the agent cost. The calls take microseconds.
func rawRead(fd uintptr, b []byte) (int, error) {
	n, _, errno := syscall.RawSyscall(syscall.SYS_READ, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	return int(n), rawError(errno)
}

func rawWrite(fd uintptr, b []byte) (int, error) {
	n, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	return int(n), rawError(errno)
}

var (
	errAgain error = syscall.EAGAIN
	errIntr  error = syscall.EINTR
)

// rawError makes an error without allocating the frequent ones.
func rawError(errno syscall.Errno) error {
	switch errno {
	case 0:
		return nil
	case syscall.EAGAIN:
		return errAgain
	case syscall.EINTR:
		return errIntr
	}
	return errno
}

// writer writes by rawWrite where there is a file descriptor. The flusher alone uses it.
type writer struct {
	raw  syscall.RawConn // nil: write through net.Conn
	left []byte
	err  error
	try  func(fd uintptr) bool
}

// init makes the writer use raw, if there is one.
func (w *writer) init(raw syscall.RawConn) { w.raw, w.try = raw, w.writeRaw }

// write writes all of b to nc.
func (w *writer) write(nc net.Conn, b []byte) error {
	if w.raw == nil {
		_, err := nc.Write(b)
		return err
	}
	w.left, w.err = b, nil
	err := w.raw.Write(w.try)
	w.left = nil
	if err != nil {
		return err
	}
	return w.err
}

// writeRaw writes until nothing is left; it returns false where it has to wait.
func (w *writer) writeRaw(fd uintptr) bool {
	for len(w.left) > 0 {
		n, err := rawWrite(fd, w.left)
		switch err {
		case nil:
			w.left = w.left[n:]
		case errIntr:
		case errAgain:
			return false
		default:
			w.err = err
			return true
		}
	}
	return true
}

// preemption keeps the runtime's monitor thread at work. It is the monitor that
// preempts a handler that computes for long, and it sleeps as soon as no goroutine
// runs, until a system call or a timer. rawRead and rawWrite do not wake it. So
// there is a timer while NOTIFYs come, and an ordinary system call for the first of
// them after a pause.
type preemption struct {
	armed atomic.Bool
	seen  atomic.Bool // NOTIFYs came since the timer ran
	timer *time.Timer
}

// preemptEvery is the time that the monitor may sleep while there is work.
const preemptEvery = 10 * time.Millisecond

func (p *preemption) init() {
	p.timer = time.AfterFunc(maxSpan, p.tick)
	p.timer.Stop()
}

// touch is called when NOTIFYs come.
func (p *preemption) touch() {
	if !p.seen.Load() {
		p.seen.Store(true)
	}
	if p.armed.Load() || !p.armed.CompareAndSwap(false, true) {
		return
	}
	p.timer.Reset(preemptEvery)
	syscall.Syscall(syscall.SYS_GETPPID, 0, 0, 0)
}

func (p *preemption) tick() {
	if p.seen.Swap(false) {
		p.timer.Reset(preemptEvery)
		return
	}
	p.armed.Store(false)
}

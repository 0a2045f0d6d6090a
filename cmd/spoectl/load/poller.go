//go:build linux

package load

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// poller finds the connections that can be read, or written if that is asked
// for.
type poller struct {
	fd     int
	timer  int // a timerfd: epoll counts in milliseconds only
	byFD   []*conn
	asked  []bool // by file descriptor: EPOLLOUT is asked for
	events []unix.EpollEvent
	ready  []*conn
}

func newPoller(conns []*conn) (*poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	p := &poller{fd: fd, timer: -1, events: make([]unix.EpollEvent, 128)}
	for _, k := range conns {
		for len(p.byFD) <= int(k.sock) {
			p.byFD, p.asked = append(p.byFD, nil), append(p.asked, false)
		}
		p.byFD[k.sock] = k
		if err := k.sock.nonblocking(true); err != nil {
			p.close()
			return nil, err
		}
		if err := p.ctl(unix.EPOLL_CTL_ADD, int(k.sock), unix.EPOLLIN); err != nil {
			p.close()
			return nil, err
		}
	}
	return p, nil
}

func (p *poller) close() {
	_ = unix.Close(p.fd)
	if p.timer >= 0 {
		_ = unix.Close(p.timer)
	}
}

func (p *poller) ctl(op, fd int, events uint32) error {
	ev := unix.EpollEvent{Events: events, Fd: int32(fd)}
	if err := unix.EpollCtl(p.fd, op, fd, &ev); err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	return nil
}

func (p *poller) writable(k *conn, ask bool) error {
	if p.asked[k.sock] == ask {
		return nil
	}
	p.asked[k.sock] = ask
	events := uint32(unix.EPOLLIN)
	if ask {
		events |= unix.EPOLLOUT
	}
	return p.ctl(unix.EPOLL_CTL_MOD, int(k.sock), events)
}

// wakeIn makes the next wait return after d at the latest.
func (p *poller) wakeIn(d time.Duration) error {
	if p.timer < 0 {
		var err error
		if p.timer, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC); err != nil {
			return fmt.Errorf("timerfd: %w", err)
		}
		// Edge-triggered: it need not be read to be silent again.
		if err := p.ctl(unix.EPOLL_CTL_ADD, p.timer, unix.EPOLLIN|unix.EPOLLET); err != nil {
			return err
		}
	}
	at := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(max(d, 1)))}
	if err := unix.TimerfdSettime(p.timer, 0, &at, nil); err != nil {
		return fmt.Errorf("timerfd: %w", err)
	}
	return nil
}

// wait returns the connections that can be read or written, none after the
// timeout or what wakeIn said. The slice is valid until the next call.
func (p *poller) wait(timeout time.Duration) ([]*conn, error) {
	for {
		n, err := unix.EpollWait(p.fd, p.events, int(timeout.Milliseconds()))
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("epoll: %w", err)
		}
		p.ready = p.ready[:0]
		for _, ev := range p.events[:n] {
			if int(ev.Fd) != p.timer {
				p.ready = append(p.ready, p.byFD[ev.Fd])
			}
		}
		return p.ready, nil
	}
}

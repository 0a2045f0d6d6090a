package main

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// poller tells which connections can be read, or written where that is asked
// for.
type poller struct {
	fd     int
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
	p := &poller{fd: fd, events: make([]unix.EpollEvent, 128)}
	for _, k := range conns {
		for len(p.byFD) <= int(k.sock) {
			p.byFD, p.asked = append(p.byFD, nil), append(p.asked, false)
		}
		p.byFD[k.sock] = k
		if err := k.sock.nonblocking(true); err != nil {
			return nil, err
		}
		if err := p.ctl(unix.EPOLL_CTL_ADD, k, unix.EPOLLIN); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *poller) ctl(op int, k *conn, events uint32) error {
	ev := unix.EpollEvent{Events: events, Fd: int32(k.sock)}
	if err := unix.EpollCtl(p.fd, op, int(k.sock), &ev); err != nil {
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
	return p.ctl(unix.EPOLL_CTL_MOD, k, events)
}

// wait returns the connections that can be read or written, none after the
// timeout. The slice is valid until the next call.
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
			p.ready = append(p.ready, p.byFD[ev.Fd])
		}
		return p.ready, nil
	}
}

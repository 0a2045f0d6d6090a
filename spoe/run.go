package spoe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/spoke-go/spoke/spoe/internal/listen"
)

// ListenAndServe runs an agent with handler h on addr, see [Listen], until ctx ends, and
// then ends it gracefully within 30 seconds; it returns nil if no NOTIFY was lost. For
// limits, logs and more, use an [Agent].
func ListenAndServe(ctx context.Context, addr string, h Handler) error {
	a := &Agent{Handler: h}
	return a.ListenAndRun(ctx, addr)
}

// ListenAndRun listens on each of addrs, see [Listen], and calls Run. Where it
// cannot listen on one, it closes the others and returns the error.
func (a *Agent) ListenAndRun(ctx context.Context, addrs ...string) error {
	if err := a.init(); err != nil {
		return err
	}
	lns := make([]net.Listener, 0, len(addrs))
	for _, addr := range addrs {
		ln, err := listen.Listen(addr)
		if err != nil {
			for _, ln := range lns {
				ln.Close()
			}
			return err
		}
		lns = append(lns, ln)
	}
	return a.Run(ctx, lns...)
}

// ListenAndServe listens on addr, see [Listen], and serves until Shutdown or
// Close; it then returns [ErrAgentClosed]. [Agent.ListenAndRun] ends with a
// context.
func (a *Agent) ListenAndServe(addr string) error {
	return a.ListenAndRun(context.Background(), addr)
}

// Serve accepts connections from ln until Shutdown or Close; it then returns
// [ErrAgentClosed]. It closes ln.
func (a *Agent) Serve(ln net.Listener) error {
	return a.Run(context.Background(), ln)
}

// Run serves on all listeners until ctx ends, an accept fails for good, or
// Shutdown or Close is called, and returns when the last connection and the last
// handler have ended. The end of ctx is a graceful one, bounded by
// ShutdownTimeout, and no error; a failed accept is returned after a graceful
// end; otherwise the error is [ErrAgentClosed]. Run closes the listeners.
func (a *Agent) Run(ctx context.Context, lns ...net.Listener) error {
	closeAll := func() {
		for _, ln := range lns {
			ln.Close()
		}
	}
	if err := a.init(); err != nil {
		closeAll()
		return err
	}
	if len(lns) == 0 {
		return errors.New("spoe: Run without a listener: name an address, or make a listener with spoe.Listen")
	}
	if err := a.prepare(lns); err != nil {
		closeAll()
		return err
	}
	a.checkBuffer()
	if !a.shared.addListeners(lns) {
		closeAll()
		return ErrAgentClosed
	}
	defer a.shared.removeListeners(lns)
	checks, err := a.listenForAgentChecks()
	if err != nil {
		return err
	}
	g, gctx := errgroup.WithContext(ctx)
	if checks != nil {
		g.Go(func() error { return a.answerAgentChecks(gctx, checks) })
	}
	for _, ln := range lns {
		g.Go(func() error { return a.accept(g, ln) })
	}
	g.Go(func() error { return a.awaitEnd(ctx, gctx) })
	err = g.Wait()
	if isClosed(a.shared.closing) {
		select {
		case <-a.shared.allGone():
		case <-a.shared.abandoned.Done():
		}
		a.shared.workers.stop(a.shared.abandoned)
		a.shared.awaitReports()
	}
	return err
}

// checkBuffer warns where a route asks for a larger buffer than the agent agrees to: of
// a buffer HAProxy sends all but the four bytes of the frame's length.
func (a *Agent) checkBuffer() {
	h, ok := a.Handler.(interface {
		LargestBuffer() (bytes int, message string)
	})
	if !ok {
		return
	}
	if bytes, message := h.LargestBuffer(); bytes-4 > a.shared.maxFrameSize {
		a.logAttrs(slog.LevelWarn, "a handler asks for a larger buffer than Agent.MaxFrameSize allows: HAProxy 3.1 and later do not send it longer messages",
			slog.String("message", message), slog.Int("buffer", bytes), slog.Int("max_frame_size", a.shared.maxFrameSize), slog.Int("needed", bytes-4))
	}
}

// prepare applies TLSConfig and SocketMode to listeners.
func (a *Agent) prepare(lns []net.Listener) error {
	if a.AcceptProxy && a.AllowedPeers == nil {
		return errors.New("spoe: Agent.AcceptProxy without AllowedPeers: anybody could name any peer; list the balancers' networks, or none where all listeners are unix sockets")
	}
	if a.TLSConfig != nil {
		if err := checkTLS(a.TLSConfig); err != nil {
			return err
		}
	}
	if a.SocketMode == 0 {
		return nil
	}
	for _, ln := range lns {
		u, ok := ln.Addr().(*net.UnixAddr)
		if !ok || u.Name == "" || strings.HasPrefix(u.Name, "@") || strings.HasPrefix(u.Name, "\x00") {
			continue // no socket file
		}
		if err := os.Chmod(u.Name, a.SocketMode); err != nil {
			return fmt.Errorf("spoe: Agent.SocketMode: %w", err)
		}
	}
	return nil
}

// awaitEnd ends the agent when ctx ends or a listener fails.
func (a *Agent) awaitEnd(ctx, gctx context.Context) error {
	select {
	case <-a.shared.draining:
		select {
		case <-a.shared.closing:
		case <-gctx.Done():
		}
		return ErrAgentClosed
	case <-gctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.shared.limits.shutdown)
	defer cancel()
	return a.Shutdown(ctx)
}

// accept serves what ln accepts, each connection by a goroutine of g.
func (a *Agent) accept(g *errgroup.Group, ln net.Listener) error {
	s := &a.shared
	a.logAttrs(slog.LevelInfo, "listening", slog.String("addr", addrString(ln.Addr())))
	var delay time.Duration
	for {
		nc, err := ln.Accept()
		switch {
		case err == nil:
			delay = 0
		case isClosed(s.closing):
			return nil
		case isTemporary(err):
			delay = min(max(2*delay, 5*time.Millisecond), time.Second)
			a.logAttrs(slog.LevelError, "cannot accept; trying again", slog.Any("error", err), slog.Duration("in", delay))
			select {
			case <-time.After(delay):
			case <-s.closing:
			}
			continue
		default:
			return fmt.Errorf("spoe: accept on %s: %w", addrString(ln.Addr()), err)
		}
		if !a.allowed(nc.RemoteAddr()) {
			a.refuse(nc)
			continue
		}
		if _, ok := nc.(*tls.Conn); a.TLSConfig != nil && !ok {
			nc = tls.Server(nc, a.TLSConfig)
		}
		c := newConn(a, g, nc)
		if !s.addConn(c) {
			c.clock.stop()
			nc.Close()
			continue
		}
		s.admit(c)
		c.spawn(c.serve)
	}
}

// isTemporary reports whether an accept can succeed later: out of file
// descriptors or memory, the connection was gone before it was accepted, or the
// listener says so itself, which counts in net/http, too.
func isTemporary(err error) bool {
	var t interface{ Temporary() bool }
	if errors.As(err, &t) && t.Temporary() {
		return true
	}
	for _, e := range []error{
		syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM,
		syscall.ECONNABORTED, syscall.ECONNRESET, syscall.EINTR, syscall.EPROTO, syscall.EPERM,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// allowed reports whether the peer may connect. It refuses an address that it
// cannot read.
func (a *Agent) allowed(peer net.Addr) bool {
	if a.AllowedPeers == nil {
		return true
	}
	if _, ok := peer.(*net.UnixAddr); ok {
		return true // the socket file has a mode of its own
	}
	ap, err := netip.ParseAddrPort(addrString(peer))
	if err != nil {
		return false
	}
	for _, p := range a.AllowedPeers {
		if p.Contains(ap.Addr().Unmap().WithZone("")) {
			return true
		}
	}
	return false
}

// refuse closes a connection from elsewhere.
func (a *Agent) refuse(nc net.Conn) {
	a.shared.counters.refused.Add(1)
	if ok, left := a.shared.connLog.Take(time.Now()); ok {
		a.logAttrs(slog.LevelWarn, "connection refused: not from one of Agent.AllowedPeers",
			slog.String("peer", addrString(nc.RemoteAddr())), slog.Uint64("not_logged_before", left))
	}
	nc.Close()
}

func (s *agentState) addListeners(lns []net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if isClosed(s.draining) {
		return false
	}
	for _, ln := range lns {
		s.listeners[ln] = struct{}{}
	}
	return true
}

func (s *agentState) removeListeners(lns []net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ln := range lns {
		delete(s.listeners, ln)
		ln.Close()
	}
}

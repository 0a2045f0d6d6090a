package spoe

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/internal/safetext"
)

// scripted is a listener whose Accept fails with errs, one after the other, and then with
// net.ErrClosed once it is closed.
type scripted struct {
	errs   []error
	closed chan struct{}
	accept func() // before each
}

func newScripted(errs ...error) *scripted { return &scripted{errs: errs, closed: make(chan struct{})} }

func (s *scripted) Accept() (net.Conn, error) {
	if s.accept != nil {
		s.accept()
	}
	if len(s.errs) > 0 {
		err := s.errs[0]
		s.errs = s.errs[1:]
		return nil, err
	}
	<-s.closed
	return nil, net.ErrClosed
}

func (s *scripted) Close() error {
	if !isClosed(s.closed) {
		close(s.closed)
	}
	return nil
}

func (s *scripted) Addr() net.Addr { return &net.UnixAddr{Name: "scripted"} }

// An accept that can succeed later is tried again after 5 ms, and after twice as long each
// time it fails, up to a second.
func TestAcceptDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := newScripted()
		for range 12 {
			ln.errs = append(ln.errs, &net.OpError{Op: "accept", Err: syscall.EMFILE})
		}
		var pauses []time.Duration
		last := time.Now()
		ln.accept = func() {
			pauses = append(pauses, time.Since(last))
			last = time.Now()
		}
		a := &Agent{Handler: insideNothing, Logger: slog.New(slog.DiscardHandler)}
		ended := make(chan error, 1)
		go func() { ended <- a.Serve(ln) }()
		time.Sleep(time.Minute)
		a.Close()
		assert.Equal(t, ErrAgentClosed, <-ended)
		ms := time.Millisecond
		assert.Equal(t, []time.Duration{0, 5 * ms, 10 * ms, 20 * ms, 40 * ms, 80 * ms, 160 * ms, 320 * ms, 640 * ms, time.Second, time.Second, time.Second, time.Second}, pauses)
	})
}

// The end of the agent ends the pause before an accept is tried again.
func TestAcceptDelayEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := newScripted()
		for range 100 {
			ln.errs = append(ln.errs, syscall.ENFILE)
		}
		a := &Agent{Handler: insideNothing, Logger: slog.New(slog.DiscardHandler)}
		ended := make(chan error, 1)
		go func() { ended <- a.Serve(ln) }()
		time.Sleep(20*time.Second + time.Millisecond)
		start := time.Now()
		require.NoError(t, a.Shutdown(t.Context()))
		assert.Equal(t, ErrAgentClosed, <-ended)
		assert.Zero(t, time.Since(start))
	})
}

func TestIsTemporary(t *testing.T) {
	for _, err := range []error{
		syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM,
		syscall.ECONNABORTED, syscall.ECONNRESET, syscall.EINTR, syscall.EPROTO, syscall.EPERM,
	} {
		assert.True(t, isTemporary(fmt.Errorf("accept: %w", err)), err)
	}
	for _, err := range []error{net.ErrClosed, syscall.EINVAL, errors.New("other")} {
		assert.False(t, isTemporary(err), err)
	}
}

// AllowedPeers knows IPv4 addresses in IPv6, and addresses with a zone.
func TestAllowed(t *testing.T) {
	tcp := func(s string) net.Addr {
		ap := netip.MustParseAddrPort(s)
		return net.TCPAddrFromAddrPort(ap)
	}
	a := &Agent{AllowedPeers: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("fe80::/64")}}
	assert.True(t, a.allowed(tcp("192.0.2.7:1")))
	assert.True(t, a.allowed(tcp("[::ffff:192.0.2.7]:1")))
	assert.True(t, a.allowed(tcp("[fe80::1%eth0]:1")))
	assert.False(t, a.allowed(tcp("192.0.3.7:1")))
	assert.False(t, a.allowed(tcp("[2001:db8::1]:1")))
	assert.True(t, a.allowed(&net.UnixAddr{Name: "/run/a"}))
	assert.False(t, a.allowed(nil))
	assert.True(t, new(Agent).allowed(nil))
	assert.False(t, (&Agent{AllowedPeers: []netip.Prefix{}}).allowed(tcp("192.0.2.7:1")))
}

// SocketMode changes the files of unix sockets, and nothing of other listeners. A file that
// is not there is an error.
func TestPrepareSocketMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.sock")
	unix, err := net.Listen("unix", path)
	require.NoError(t, err)
	defer unix.Close()
	abstract, err := net.Listen("unix", "@"+path)
	require.NoError(t, err)
	defer abstract.Close()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer tcp.Close()
	require.NoError(t, os.Chmod(path, 0o700))
	a := &Agent{}
	require.NoError(t, a.prepare([]net.Listener{unix}))
	mode := func() os.FileMode {
		info, err := os.Stat(path)
		require.NoError(t, err)
		return info.Mode().Perm()
	}
	assert.EqualValues(t, 0o700, mode())
	a.SocketMode = 0o640
	require.NoError(t, a.prepare([]net.Listener{tcp, abstract, addrOnly{name: ""}, addrOnly{name: "\x00x"}, addrOnly{name: "@x"}, unix}))
	assert.EqualValues(t, 0o640, mode())
	err = a.prepare([]net.Listener{addrOnly{name: filepath.Join(t.TempDir(), "missing")}})
	assert.ErrorContains(t, err, "spoe: Agent.SocketMode: chmod ")
}

// addrOnly is a listener of a unix socket that has nothing but a name.
type addrOnly struct {
	net.Listener
	name string
}

func (a addrOnly) Addr() net.Addr { return &net.UnixAddr{Name: a.name} }

// Run closes its listeners, whatever keeps it from running.
func TestRunClosesListeners(t *testing.T) {
	for name, tt := range map[string]struct {
		agent *Agent
		want  string
	}{
		"no handler":  {&Agent{}, "set Agent.Handler"},
		"no peers":    {&Agent{Handler: insideNothing, AcceptProxy: true}, "AllowedPeers"},
		"is shutting": {shutDown(t), ErrAgentClosed.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			first, second := newScripted(), newScripted()
			assert.ErrorContains(t, tt.agent.Run(t.Context(), first, second), tt.want)
			assert.True(t, isClosed(first.closed))
			assert.True(t, isClosed(second.closed))
		})
	}
	assert.Error(t, new(Agent).Shutdown(t.Context()))
	assert.Error(t, new(Agent).Close())
}

func shutDown(t *testing.T) *Agent {
	a := &Agent{Handler: insideNothing, Logger: slog.New(slog.DiscardHandler)}
	require.NoError(t, a.Shutdown(t.Context()))
	return a
}

// A listener that fails for good ends the agent, gracefully, and the others with it.
func TestFatalAccept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		other := newScripted()
		a := &Agent{Handler: insideNothing, Logger: slog.New(slog.DiscardHandler), ShutdownTimeout: time.Second}
		err := a.Run(t.Context(), other, newScripted(errors.New("no more")))
		assert.EqualError(t, err, "spoe: accept on scripted: no more")
		assert.True(t, isClosed(other.closed))
		assert.True(t, isClosed(a.shared.closing))
		assert.Empty(t, a.shared.listeners)
	})
}

// A connection that is accepted while the agent closes is closed, and counts nowhere.
func TestAcceptedTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peer, nc := net.Pipe()
		a := &Agent{Handler: insideNothing, Logger: slog.New(slog.DiscardHandler)}
		require.NoError(t, a.init())
		close(a.shared.closing)
		ln := &handing{scripted: newScripted(), conns: []net.Conn{nc}}
		ln.Close()
		assert.NoError(t, a.accept(nil, ln))
		_, err := peer.Read(make([]byte, 1))
		assert.Error(t, err)
		assert.Zero(t, a.Stats().ConnectionsTotal)
		assert.Zero(t, a.Stats().Connections)
	})
}

// handing hands out conns before it does as its script says.
type handing struct {
	*scripted
	conns []net.Conn
}

func (h *handing) Accept() (net.Conn, error) {
	if len(h.conns) == 0 {
		return h.scripted.Accept()
	}
	nc := h.conns[0]
	h.conns = h.conns[1:]
	return nc, nil
}

// A connection of a peer that is not in AllowedPeers is closed, counted and logged, up to
// ten times a second.
func TestRefuse(t *testing.T) {
	a := &Agent{Handler: insideNothing, AllowedPeers: []netip.Prefix{}}
	c, _ := insideConn(t, a)
	log := logged(c)
	for range 12 {
		peer, nc := net.Pipe()
		a.refuse(nc)
		_, err := peer.Read(make([]byte, 1))
		assert.Error(t, err)
	}
	assert.EqualValues(t, 12, a.Stats().ConnectionsRefused)
	assert.Equal(t, 10, strings.Count(log(), "connection refused: not from one of Agent.AllowedPeers\" peer=pipe not_logged_before=0"))
}

// sleep ends with its context.
func TestSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		sleep(ctx, time.Millisecond)
		assert.Equal(t, time.Millisecond, time.Since(start))
		sleep(ctx, time.Hour)
		assert.Equal(t, time.Second, time.Since(start))
	})
}

// halfOf is half of the time that is left; without a deadline it has none.
func TestHalfOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		time.Sleep(4 * time.Second)
		half, end := halfOf(ctx)
		at, ok := half.Deadline()
		assert.True(t, ok)
		assert.Equal(t, 3*time.Second, time.Until(at))
		end()
		half, end = halfOf(t.Context())
		_, ok = half.Deadline()
		assert.False(t, ok)
		assert.NoError(t, half.Err())
		end()
		assert.Error(t, half.Err())
	})
}

// retireAll plans the ends: connections up to 3.0 one after the other, the quietest last;
// later ones are forced one after the other, the quietest first.
func TestRetireAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended, end := context.WithCancel(t.Context())
		end()
		for _, applet := range []bool{false, true} {
			a := &Agent{}
			var conns []*conn
			for i := range 4 {
				c, _ := insideConn(t, a)
				c.clock.lastFrame.Store(now() + int64(3-i))
				c.haproxy.Store(&haproxy{applet: applet})
				conns = append(conns, c)
			}
			at := now()
			a.shared.retireAll(ended, time.Now().Add(time.Minute))
			for i, c := range conns {
				if applet {
					force := at + int64(time.Duration(i)*shutdownGap)
					assert.Equal(t, retirement{at: at, quiet: maxSpan, force: force, late: force + int64(8*time.Second)}, c.plan)
				} else {
					place := time.Duration(3 - i)
					assert.Equal(t, retirement{at: at, quiet: shutdownQuiet, force: at + int64(time.Minute+place*shutdownGap/2), late: never}, c.plan)
				}
				c.clock.stop()
			}
		}
	})
}

// Many connections end within the time that there is.
func TestRetireAllInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &Agent{}
		var conns []*conn
		for range 9 {
			c, _ := insideConn(t, a)
			c.haproxy.Store(&haproxy{applet: true})
			conns = append(conns, c)
		}
		at := now()
		ended, end := context.WithCancel(t.Context())
		end()
		a.shared.retireAll(ended, time.Now().Add(100*time.Millisecond))
		last := at
		for _, c := range conns {
			last = max(last, c.plan.force)
			assert.Equal(t, c.plan.force+int64(100*time.Millisecond), c.plan.late)
			c.clock.stop()
		}
		assert.Equal(t, at+8*int64(10*time.Millisecond), last)
	})
}

// endApplets ends the connections of HAProxy up to 3.0, one after the other, and waits for
// that, as long as its context; a quiet one may end once all are quiet.
func TestEndApplets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &Agent{}
		later, _ := insideConn(t, a)
		later.haproxy.Store(&haproxy{})
		defer later.clock.stop()
		for range 2 {
			c, _ := insideConn(t, a)
			c.haproxy.Store(&haproxy{applet: true})
			c.clock.stop()
		}
		applets := a.shared.applets()
		require.Len(t, applets, 2)
		start, at := time.Now(), now()
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		endApplets(ctx, a.shared.applets(), shutdownGap, start.Add(time.Minute))
		assert.Equal(t, 500*time.Millisecond, time.Since(start))
		assert.EqualValues(t, never, later.plan.at)
		seen := map[int64]bool{}
		for _, c := range applets {
			assert.Equal(t, retirement{at: at, quiet: maxSpan, force: c.plan.force, late: c.plan.force + int64(time.Minute)}, c.plan)
			seen[c.plan.force-at] = true
		}
		assert.Equal(t, map[int64]bool{0: true, int64(shutdownGap): true}, seen)
		for _, c := range applets {
			go func() {
				time.Sleep(time.Second)
				assert.Equal(t, appletQuiet, c.quietOfPlan(), "all were quiet for a second")
				a.shared.removeConn(c)
			}()
		}
		start = time.Now()
		endApplets(t.Context(), a.shared.applets(), shutdownGap, start.Add(time.Minute))
		assert.Equal(t, time.Second, time.Since(start))
		endApplets(t.Context(), a.shared.applets(), shutdownGap, start) // there are none
	})
}

// At the time late, a quiet connection may end although another one is busy.
func TestEndAppletsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &Agent{}
		busy, _ := insideConn(t, a)
		quiet, _ := insideConn(t, a)
		for _, c := range []*conn{busy, quiet} {
			c.haproxy.Store(&haproxy{applet: true})
			c.clock.stop()
		}
		busy.acking = 1
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		start := time.Now()
		go func() {
			time.Sleep(2900 * time.Millisecond)
			assert.EqualValues(t, maxSpan, quiet.quietOfPlan())
			time.Sleep(200 * time.Millisecond)
			assert.Equal(t, appletQuiet, quiet.quietOfPlan())
		}()
		endApplets(ctx, a.shared.applets(), shutdownGap, start.Add(3*time.Second))
		assert.Equal(t, 5*time.Second, time.Since(start))
	})
}

// Where no HAProxy asks for the agent's state, Drain is called once; where one has read that
// the agent drains, a second time, after a pause for requests that were on their way.
func TestSettle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, asked := range []bool{false, true} {
			var calls []time.Duration
			start := time.Now()
			a := &Agent{Handler: insideNothing, Drain: func(context.Context) { calls = append(calls, time.Since(start)) }}
			require.NoError(t, a.init())
			peer := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}
			if asked {
				a.shared.checks.SeenAgentCheck(peer)
				a.shared.checks.Drained(peer)
			}
			a.settle(t.Context())
			assert.True(t, isClosed(a.shared.settled))
			if asked {
				assert.Equal(t, []time.Duration{drainPause, 2 * drainPause}, calls)
			} else {
				assert.Equal(t, []time.Duration{0}, calls)
			}
		}
	})
}

// awaitDrain gives HAProxies that read the drain two seconds to close their connections.
func TestAwaitDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &Agent{}
		c, _ := insideConn(t, a)
		defer c.clock.stop()
		peer := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}
		start := time.Now()
		s := &a.shared
		s.awaitDrain(t.Context())
		assert.Zero(t, time.Since(start))
		s.checks.SeenAgentCheck(peer)
		s.checks.Drained(peer)
		s.awaitDrain(t.Context())
		assert.Equal(t, 2*time.Second, time.Since(start))
		go func() {
			time.Sleep(500 * time.Millisecond)
			s.removeConn(c)
		}()
		s.awaitDrain(t.Context())
		assert.Equal(t, 2500*time.Millisecond, time.Since(start))
		s.awaitDrain(t.Context())
		assert.Equal(t, 2600*time.Millisecond, time.Since(start), "a moment, in which HAProxy acts on it")
	})
}

// allGone is closed when no connection and no goroutine is left, and none can come.
func TestAllGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &Agent{}
		c, _ := insideConn(t, a)
		defer c.clock.stop()
		s := &a.shared
		gone := s.allGone()
		assert.Equal(t, gone, s.allGone())
		release := make(chan struct{})
		s.runTask(func(ctx context.Context) {
			assert.NoError(t, ctx.Err())
			<-release
		})
		s.removeConn(c)
		assert.False(t, isClosed(gone))
		close(release)
		synctest.Wait()
		assert.Zero(t, s.tasks)
		assert.False(t, isClosed(gone), "more may come")
		s.stopListening()
		assert.True(t, isClosed(gone))
		s.stopListening()
		assert.False(t, s.addConn(c))

		b := &Agent{Handler: insideNothing}
		require.NoError(t, b.init())
		b.shared.stopListening()
		assert.True(t, isClosed(b.shared.allGone()), "of an agent that had none")
	})
}

func (c *conn) quietOfPlan() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.plan.quiet
}

// applets finds the connections of HAProxy up to 3.0.
func TestApplets(t *testing.T) {
	a := &Agent{}
	first, _ := insideConn(t, a)
	assert.Empty(t, a.shared.applets())
	insideConn(t, a)
	first.haproxy.Store(&haproxy{applet: true})
	assert.Equal(t, []*conn{first}, a.shared.applets())
}

// An agent waits for its reports for one second in all; then the remaining ones are
// dropped.
func TestAwaitReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &Agent{Handler: insideNothing}
		require.NoError(t, a.init())
		s := &a.shared
		start := time.Now()
		s.awaitReports()
		assert.Zero(t, time.Since(start))
		require.True(t, s.hooks.TryAcquire(1), "it gives back what it took")
		time.AfterFunc(300*time.Millisecond, func() { s.hooks.Release(1) })
		s.logs.Add(func() { time.Sleep(500 * time.Millisecond) })
		s.awaitReports()
		assert.Equal(t, 500*time.Millisecond, time.Since(start))

		start = time.Now()
		release := make(chan struct{})
		for range 2 {
			s.states.Add(func() { <-release })
			s.reports.Add(func() { <-release })
		}
		s.awaitReports()
		assert.Equal(t, time.Second, time.Since(start))
		assert.EqualValues(t, 1, s.states.Dropped())
		assert.EqualValues(t, 1, s.reports.Dropped())
		assert.EqualValues(t, 2, a.Stats().ReportsDropped)
		close(release)
	})
}

// Shutdown logs how it ended.
func TestShutdownIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &Agent{}
		c, _ := insideConn(t, a)
		log := logged(c)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		assert.ErrorContains(t, a.Shutdown(ctx), "spoe: shutdown ran out of time with 1 connections, 0 NOTIFYs in flight and 0 late handlers")
		assert.Contains(t, log(), `level=WARN msg="spoe: shutdown ran out of time" error="spoe: shutdown ran out of time with 1 connections`)
		a.shared.removeConn(c)
		assert.NotContains(t, log(), "spoe: shut down")
		assert.NoError(t, a.Shutdown(t.Context()))
		assert.Contains(t, log(), `level=INFO msg="spoe: shut down"`)
		time.Sleep(time.Minute)
		assert.Error(t, a.shared.abandoned.Err())
		c.clock.stop()
	})
}

// brokenError is an error whose text and whose kind cannot be asked for.
type brokenError struct{ text string }

func (e *brokenError) Error() string { panic(e.text) }
func (e *brokenError) Is(error) bool { panic(e.text) }

// The text of a panic in an error's methods is bounded.
func TestReadableErrorIsBounded(t *testing.T) {
	long := strings.Repeat("x", 300)
	err := readableError(&brokenError{long})
	assert.ErrorContains(t, err, safetext.Clip(long, 200)+"; return a plain nil")
	var p *PanicError
	require.ErrorAs(t, readableError(&PanicError{Value: errors.New(long), Stack: []byte("stack")}), &p)
	assert.Equal(t, "stack", string(p.Stack))
	panicked := &PanicError{Value: &brokenError{long}, Stack: []byte("stack")}
	require.ErrorAs(t, readableError(panicked), &p)
	assert.Equal(t, "stack", string(p.Stack))
	assert.Equal(t, "spoe: handler panicked: "+safetext.Error(panicked, 200), p.Error())
}

// A HAProxy knows of the drain when it has read it to the end and has closed.
func TestAgentCheckTellsOfTheDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, tt := range []struct{ draining, closes, want bool }{{false, true, false}, {true, false, false}, {true, true, true}} {
			a := &Agent{Handler: insideNothing}
			require.NoError(t, a.init())
			if tt.draining {
				close(a.shared.draining)
			}
			peer, nc := net.Pipe()
			start := time.Now()
			go func() {
				_, _ = peer.Read(make([]byte, 100))
				if !tt.closes {
					time.Sleep(time.Minute)
				}
				peer.Close()
			}()
			a.answerAgentCheck(nc)
			assert.Equal(t, tt.want, a.shared.checks.AnyDrained())
			assert.Equal(t, 1, a.shared.checks.Sources())
			if !tt.closes {
				assert.Equal(t, 2*time.Second, time.Since(start))
			}
			time.Sleep(time.Hour)
		}
	})
}

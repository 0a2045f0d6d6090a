package spoe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/spoke-go/spoke/codec"
)

// Agent is an SPOE agent: it listens for HAProxy, and its [Handler] answers the messages.
// The zero Agent with a Handler works. Its fields must not be changed once it runs; its
// methods are safe for concurrent use. Like an http.Server it is not used again after
// Shutdown or Close.
//
// A field that is zero means the default in its comment; a negative one is an
// error from the call that starts the agent. There is no value for unlimited; use
// a large number.
type Agent struct {
	// Handler answers the messages. It must be set.
	Handler Handler

	// Logger receives the agent's log lines. Default: slog.Default(). Connections are
	// logged at debug level, failures of handlers and broken connections at warn and error,
	// up to 100 and 10 lines a second; a HAProxy that goes away, checks health or idles is
	// not a failure. The Logger may be slow or block: a goroutine of its own writes the
	// lines; where more than 256 wait, further ones are dropped and counted in
	// Stats.ReportsDropped.
	Logger *slog.Logger

	// MaxFrameSize is the longest frame that the agent agrees to, in bytes,
	// 256 at least. HAProxy offers what its tune.bufsize allows, 16380 by
	// default; the lower one counts. Memory is used for what arrives, not for
	// what was agreed. Default: 1 MiB.
	MaxFrameSize int
	// MaxPayload is the maximum size of a fragmented payload, in bytes; HAProxy before
	// 3.1 fragments payloads. A longer one is acknowledged with ABORT. Default: 4 MiB.
	MaxPayload int
	// MaxInFlight is the maximum number of NOTIFYs of one connection that are handled
	// at once. At this number the agent stops reading the connection, and refuses
	// nothing. HAProxy itself keeps to 20. Default: 256.
	MaxInFlight int
	// MaxConcurrent is the maximum number of NOTIFYs of all connections that are
	// handled at once. At this number the agent stops reading. Default: 16384.
	MaxConcurrent int
	// MaxConnections is the maximum number of connections that are served at once. Up
	// to 1024 more wait for one to end, for HelloTimeout at most, and have their health
	// checks answered: an agent that is full is not down. When more come, the agent
	// closes the connections that waited longest. Default: 16384.
	MaxConnections int
	// MaxMessages is the maximum number of messages in a NOTIFY; the agent answers a
	// NOTIFY with more by AGENT-DISCONNECT 13. HAProxy sends the messages of an event
	// or a group together. Default: 1024.
	MaxMessages int
	// MaxBuffered is the maximum number of bytes that the agent holds at once, over all
	// connections: payloads until they are acknowledged, fragments, frames above 32 KiB
	// while they arrive, and ACKs until they are written. At this number the agent
	// stops reading, and refuses no NOTIFY. It does not count up to 64 KiB for reading
	// on each connection while bytes arrive, nor memory that handlers allocate. At
	// least 1 MiB. Default: 256 MiB.
	MaxBuffered int
	// MaxLateHandlers is the maximum number of handlers that still run after their
	// NOTIFY was acknowledged at its deadline. Beyond it, a late handler counts as one
	// of MaxInFlight and MaxConcurrent until it returns. Default: 4096.
	MaxLateHandlers int

	// HelloTimeout is the maximum duration from a new connection to its hello. Default:
	// 10 s.
	HelloTimeout time.Duration
	// ReadTimeout is the maximum duration of a frame, from its first byte to its last.
	// Default: 10 s.
	ReadTimeout time.Duration
	// WriteTimeout is the maximum duration of a write to HAProxy. Default: 10 s.
	WriteTimeout time.Duration
	// IdleTimeout is the maximum duration without a frame in either direction. Make it
	// longer than HAProxy's own `timeout idle`: HAProxy knows whether it is about to
	// send, so HAProxy should close. Default: 10 min.
	IdleTimeout time.Duration
	// NotifyTimeout is the maximum duration from a NOTIFY's arrival to its ACK,
	// whatever its handlers do; see [Message.ServeWithin]. It is the last resort:
	// HAProxy's `timeout processing` is usually well under a second, and
	// middleware.Timeout should be below that. Default: 30 s.
	NotifyTimeout time.Duration
	// ShutdownTimeout bounds the graceful end of Run and of the package's
	// ListenAndServe once their context ends. Default: 30 s.
	ShutdownTimeout time.Duration
	// ShutdownChecks is `fall` of HAProxy's server line, 3 by default there and here: after
	// that many failed health checks HAProxy marks the server as down. Shutdown waits for
	// one more from each HAProxy that checks, since HAProxy acts on a failed check a moment
	// after the agent failed it.
	ShutdownChecks int
	// AgentCheckAddr is a TCP address, host:port, at which the agent answers
	// HAProxy's agent-check: "up ready" as long as it serves, "drain" from the beginning of
	// Shutdown on. HAProxy then moves its traffic away by itself, before the agent
	// closes anything. Default: none.
	AgentCheckAddr string
	// Drain returns when no work waits for a later message, such as a request for its
	// response; pair.Store.Drain is such a function. Shutdown calls it before it closes
	// connections of HAProxy 3.1 or later, with a context that ends after half of its
	// time. Where HAProxy asks at AgentCheckAddr, health checks succeed until Drain
	// returns, so that HAProxy can go on bringing later messages to this agent, by
	// `use-server`, while it sends all others elsewhere. Default: Shutdown waits for no
	// such work.
	Drain func(ctx context.Context)
	// MaxConnectionAge closes connections after that time, at a moment when they are quiet,
	// so that new replicas get their share of traffic. Each connection's age is between 90
	// % and 110 % of it. Default: no limit, because a request that HAProxy sends at the
	// very moment of closing fails.
	MaxConnectionAge time.Duration

	// NoEmptyACK adds an action without effect to an ACK that has none, an unset-var of
	// txn.<prefix>.spoke_noop: with HAProxy 3.1.0 a request waits until its timeout if an
	// ACK has no action.
	NoEmptyACK bool

	// AllowedPeers are the networks that may connect. Nil allows every peer; a slice
	// without a prefix allows none. It does not apply to unix sockets: their file's mode
	// decides. The agent closes a connection from elsewhere, or from an address that it
	// cannot read, without an answer and logs it.
	AllowedPeers []netip.Prefix
	// AcceptProxy makes the agent expect a PROXY protocol header, version 1 or 2, at the
	// beginning of each connection, as a TCP balancer between HAProxy and the agent sends
	// it; the peer is then the address in the header. The agent closes a connection without
	// one. The header is trusted, so AllowedPeers must list the balancers.
	AcceptProxy bool
	// SocketMode is the mode of the unix socket files that the agent listens on, such as
	// 0o660. Default: 0o777 less the umask.
	SocketMode fs.FileMode
	// TLSConfig makes the agent speak TLS on all its listeners; see [LoadTLS]. A
	// connection that a listener of package tls accepted stays as it is.
	TLSConfig *tls.Config

	// ConnState is called when a connection changes its state, a moment later and
	// for one state after the other. It may be slow: up to 16384 calls wait, and
	// further ones are dropped and counted in Stats.ReportsDropped.
	ConnState func(net.Conn, ConnState)

	notify func(*MessageIterator) ([]Action, error) // the predecessor's way
	shared agentState
}

const (
	minMaxBuffered         = 1 << 20
	defaultShutdownTimeout = 30 * time.Second
)

// limits are an agent's fields with the defaults filled in.
type limits struct {
	maxFrameSize, maxPayload                            int
	maxInFlight, maxConcurrent, maxConnections, maxLate int
	hello, read, write, idle, notify, shutdown, maxAge  time.Duration
	shutdownChecks, maxMessages, maxBuffered            int
}

// limits returns the limits in force, or an error that names a field that
// cannot be.
func (a *Agent) limits() (limits, error) {
	if a.Handler == nil && a.notify == nil {
		return limits{}, fmt.Errorf("spoe: the agent has no handler: set Agent.Handler")
	}
	if a.Handler != nil && a.notify != nil {
		return limits{}, errors.New("spoe: the agent has the function of spoe.New and a Handler; set one of them")
	}
	var err error
	count := func(field string, v, def int) int {
		if v < 0 && err == nil {
			err = fmt.Errorf("spoe: Agent.%s is %d; it must not be negative (0 means %d)", field, v, def)
		}
		if v == 0 {
			return def
		}
		return v
	}
	span := func(field string, v, def time.Duration) time.Duration {
		if v < 0 && err == nil {
			err = fmt.Errorf("spoe: Agent.%s is %v; it must not be negative (0 means %v)", field, v, def)
		}
		if v == 0 {
			return def
		}
		return min(v, maxSpan)
	}
	l := limits{
		maxFrameSize:   count("MaxFrameSize", a.MaxFrameSize, 1<<20),
		maxPayload:     count("MaxPayload", a.MaxPayload, 4<<20),
		maxInFlight:    count("MaxInFlight", a.MaxInFlight, 256),
		maxConcurrent:  count("MaxConcurrent", a.MaxConcurrent, 16384),
		maxConnections: count("MaxConnections", a.MaxConnections, 16384),
		maxLate:        count("MaxLateHandlers", a.MaxLateHandlers, 4096),
		maxMessages:    count("MaxMessages", a.MaxMessages, 1024),
		maxBuffered:    count("MaxBuffered", a.MaxBuffered, 256<<20),
		hello:          span("HelloTimeout", a.HelloTimeout, 10*time.Second),
		read:           span("ReadTimeout", a.ReadTimeout, 10*time.Second),
		write:          span("WriteTimeout", a.WriteTimeout, 10*time.Second),
		idle:           span("IdleTimeout", a.IdleTimeout, 10*time.Minute),
		notify:         span("NotifyTimeout", a.NotifyTimeout, 30*time.Second),
		shutdown:       span("ShutdownTimeout", a.ShutdownTimeout, defaultShutdownTimeout),
		maxAge:         span("MaxConnectionAge", a.MaxConnectionAge, 0),
		shutdownChecks: count("ShutdownChecks", a.ShutdownChecks, 3),
	}
	if err == nil && l.maxFrameSize < codec.MinMaxFrameSize {
		err = fmt.Errorf("spoe: Agent.MaxFrameSize is %d; SPOP has no less than %d bytes", l.maxFrameSize, codec.MinMaxFrameSize)
	}
	if err == nil && l.maxBuffered < minMaxBuffered {
		err = fmt.Errorf("spoe: Agent.MaxBuffered is %d; the least is %d bytes", l.maxBuffered, minMaxBuffered)
	}
	for _, p := range a.AllowedPeers {
		if err == nil && (!p.IsValid() || p.Addr().Is4In6()) {
			err = fmt.Errorf("spoe: Agent.AllowedPeers has %v, which no peer is in; write networks as 192.0.2.0/24 or 2001:db8::/32", p)
		}
	}
	return l, err
}

func (a *Agent) log() *slog.Logger {
	if a.Logger != nil {
		return a.Logger
	}
	return slog.Default()
}

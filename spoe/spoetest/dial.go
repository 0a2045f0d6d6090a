package spoetest

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/spoke-go/spoke/spoe"
)

// Dialer says how to reach an agent. The zero Dialer works.
type Dialer struct {
	// Hello is HAProxy's hello; nil means DefaultHello.
	Hello *Hello
	// TLS, if not nil, is used on top of the socket. An empty ServerName means
	// the address's host.
	TLS *tls.Config
	// Timeout bounds Dial and each call of the Client; 0 means DefaultTimeout.
	Timeout time.Duration
}

// Dial connects to an agent and does the handshake with DefaultHello. Network and
// address are as in net.Dial: "tcp" and "127.0.0.1:9000", "unix" and a path or, with a
// leading @, an abstract name, filled up with NULs as HAProxy's abns@ does it. With an
// empty network, address is as for [spoe.ParseAddr], which takes the forms of HAProxy's
// server lines. The Client is closed by its user.
func Dial(ctx context.Context, network, addr string) (*Client, error) {
	return new(Dialer).Dial(ctx, network, addr)
}

// Dial is the function Dial with the Dialer's settings.
func (d *Dialer) Dial(ctx context.Context, network, addr string) (*Client, error) {
	c, err := d.Connect(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	if _, err := c.Handshake(ctx, d.hello()); err != nil {
		_ = c.Close() // the handshake's error is the one that matters
		return nil, err
	}
	return c, nil
}

// Connect connects without a handshake: it sends no byte.
func (d *Dialer) Connect(ctx context.Context, network, addr string) (*Client, error) {
	timeout := d.Timeout
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, &timeoutError{timeout})
	defer cancel()
	if network == "" {
		var err error
		if network, addr, err = spoe.ParseAddr(addr); err != nil {
			return nil, fmt.Errorf("spoetest: %s", strings.TrimPrefix(err.Error(), "spoe: "))
		}
	} else {
		addr = abstractName(network, addr)
	}
	conn, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, fmt.Errorf("spoetest: %w", err)
	}
	if d.TLS == nil {
		return NewClient(conn, timeout), nil
	}
	secured, err := handshakeTLS(ctx, conn, d.TLS, addr)
	if err != nil {
		_ = conn.Close() // the handshake's error is the one that matters
		return nil, fmt.Errorf("spoetest: %w", err)
	}
	return NewClient(secured, timeout), nil
}

// abstractName fills an abstract name up to the length that an address has.
func abstractName(network, addr string) string {
	if network != "unix" || !strings.HasPrefix(addr, "@") {
		return addr
	}
	room := len(syscall.RawSockaddrUnix{}.Path)
	return addr + strings.Repeat("\x00", max(0, room-len(addr)))
}

func handshakeTLS(ctx context.Context, conn net.Conn, conf *tls.Config, addr string) (net.Conn, error) {
	if conf.ServerName == "" && !conf.InsecureSkipVerify {
		conf = conf.Clone()
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			host = addr
		}
		conf.ServerName = host
	}
	c := tls.Client(conn, conf)
	return c, c.HandshakeContext(ctx)
}

func (d *Dialer) hello() Hello {
	if d.Hello != nil {
		return *d.Hello
	}
	return DefaultHello()
}

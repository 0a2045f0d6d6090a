package ldapauth

import (
	"context"
	"errors"
	"net"

	"github.com/go-ldap/ldap/v3"

	"github.com/spoke-go/spoke/auth"
)

// ask takes a connection, and asks on it.
func (d *Directory) ask(ctx context.Context, name, password string) (*auth.User, error) {
	var c *ldap.Conn
	select {
	case c = <-d.conns:
		defer func() { d.conns <- c }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for {
		old := c != nil
		if !old {
			var err error
			if c, err = d.dial(ctx); err != nil {
				return nil, err
			}
		}
		stop := context.AfterFunc(ctx, func() { c.Close() })
		user, err := d.askOn(c, name, password)
		if stop() && (err == nil || errors.Is(err, auth.ErrBadPassword) || errors.Is(err, auth.ErrTooFast)) {
			return user, err
		}
		c.Close()
		c = nil
		if !old || ctx.Err() != nil { // the server may have closed an old connection
			return nil, errors.Join(err, ctx.Err())
		}
	}
}

// dial opens a connection; it returns nil and an error if that fails.
func (d *Directory) dial(ctx context.Context) (*ldap.Conn, error) {
	dialer := &net.Dialer{Timeout: timeout}
	dialer.Deadline, _ = ctx.Deadline()
	c, err := ldap.DialURL(d.config.URL, ldap.DialWithDialer(dialer), ldap.DialWithTLSConfig(d.tls))
	if err != nil {
		return nil, err
	}
	c.SetTimeout(timeout)
	if d.config.StartTLS {
		if err := c.StartTLS(d.tls); err != nil {
			c.Close()
			return nil, err
		}
	}
	return c, nil
}

package ldapauth

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"time"

	"github.com/go-ldap/ldap/v3"
	"golang.org/x/sync/singleflight"

	"github.com/spoke-go/spoke/auth"
	"github.com/spoke-go/spoke/auth/internal/cache"
	"github.com/spoke-go/spoke/service"
)

// timeout bounds each step of a question to the server.
const timeout = 5 * time.Second

// Directory asks an LDAP server for users. Several goroutines may use one.
type Directory struct {
	config  Config
	tls     *tls.Config
	now     func() time.Time
	cache   *cache.Cache[*auth.User]
	guesses *guesses
	one     singleflight.Group // of equal credentials
	conns   chan *ldap.Conn    // one for each connection that may exist; nil is not open yet
}

// New returns a directory. It connects at the first question. now is the clock of the cache
// and of the waits.
func New(c Config, now func() time.Time) (*Directory, error) {
	u, err := url.Parse(c.URL)
	if err != nil {
		return nil, fmt.Errorf("ldap: url: %w", err)
	}
	roots, err := service.CertPool(c.CA)
	if err != nil {
		return nil, fmt.Errorf("ldap: ca: %w", err)
	}
	d := &Directory{config: c, tls: &tls.Config{RootCAs: roots, ServerName: u.Hostname()}, now: now,
		cache: cache.New[*auth.User](cache.Size, now), guesses: newGuesses(c.Delay, now), conns: make(chan *ldap.Conn, c.Pool)}
	for range c.Pool {
		d.conns <- nil
	}
	return d, nil
}

// Close closes the connections, when each is free.
func (d *Directory) Close() error {
	for range cap(d.conns) {
		if c := <-d.conns; c != nil {
			c.Close()
		}
	}
	return nil
}

// Authenticate returns the user of a name and a password, which a visitor at an address
// sent, or auth.ErrBadPassword, auth.ErrTooFast or auth.ErrUnavailable. Do not change the
// user, which other calls return, too.
func (d *Directory) Authenticate(ctx context.Context, name, password string, from netip.Addr) (*auth.User, error) {
	credentials := name + "\x00" + password
	if user, fresh := d.cache.Get(credentials); fresh {
		return user, nil
	}
	if password == "" { // LDAP treats an empty password as an anonymous login, and succeeds
		return nil, auth.ErrBadPassword
	}
	begun := time.Now()
	network := ofNetwork(from)
	// A browser asks for several things at once, with the same password.
	asked := d.one.DoChan(credentials+"\x00"+network.name, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*timeout)
		defer cancel()
		if !d.guesses.begin(network) {
			return nil, auth.ErrTooFast
		}
		user, err := d.ask(ctx, name, password)
		d.guesses.end(network, errors.Is(err, auth.ErrBadPassword))
		if err == nil {
			d.cache.Put(credentials, user, d.now().Add(d.config.Cache))
		}
		return user, err
	})
	select {
	case r := <-asked:
		user, _ := r.Val.(*auth.User)
		switch {
		case r.Err == nil || errors.Is(r.Err, auth.ErrTooFast):
			return user, r.Err
		case !errors.Is(r.Err, auth.ErrBadPassword):
			return nil, auth.ErrUnavailable
		}
	case <-ctx.Done():
		return nil, auth.ErrUnavailable
	}
	select { // the time must not show which names exist
	case <-time.After(d.config.Delay - time.Since(begun)%d.config.Delay):
	case <-ctx.Done():
	}
	return nil, auth.ErrBadPassword
}

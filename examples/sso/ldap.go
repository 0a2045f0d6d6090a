package main

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
	"golang.org/x/sync/singleflight"

	"github.com/spoke-go/spoke/service"
)

// LDAPConfig is a directory that Basic authentication asks.
type LDAPConfig struct {
	URL          string         `value:"URL" help:"ldaps://host, or ldap://host with start-tls"`
	StartTLS     bool           `help:"turn an ldap:// connection to TLS"`
	CA           string         `value:"FILE" help:"PEM file with the authorities for the server's certificate"`
	BindDN       string         `help:"the entry that searches"`
	BindPassword service.Secret `help:"its password"`
	Base         string         `help:"where users are"`
	UserFilter   string         `help:"finds a user; %s stands for the name that the visitor gave"`
	UserName     string         `help:"the attribute with the user's name, as sites get it"`
	Mail         string         `help:"the attribute with the mail address"`
	GroupBase    string         `help:"where groups are; without it users have none"`
	GroupFilter  string         `help:"finds a user's groups; %s is the user's DN"`
	GroupName    string         `help:"the attribute with a group's name"`
	Pool         int            `min:"1" max:"100" help:"connections at most"`
	Cache        time.Duration  `help:"how long a good password is remembered, as a hash; 0: not at all"`
	Delay        time.Duration  `min:"1ms" help:"a refusal takes that long or a multiple of it; the wait after several ones doubles with each"`
}

var ldapDefaults = LDAPConfig{UserFilter: "(uid=%s)", UserName: "uid", Mail: "mail", GroupFilter: "(member=%s)", GroupName: "cn",
	Pool: 8, Cache: 5 * time.Minute, Delay: 200 * time.Millisecond}

const ldapTimeout = 5 * time.Second

// Reasons of a refusal.
var (
	errTooFast     = errors.New("too many wrong passwords")
	errBadPassword = errors.New("bad credentials") // or no such user
	errNoLDAP      = errors.New("LDAP does not answer")
)

// directory asks an LDAP server for the user of a name and a password.
type directory struct {
	LDAPConfig
	tls     *tls.Config
	cache   *cache
	guesses *guesses
	one     singleflight.Group // of equal credentials
	conns   chan *ldap.Conn    // as many as there may be; nil is one to be opened
}

func newDirectory(c LDAPConfig, now func() time.Time) (*directory, error) {
	u, err := url.Parse(c.URL)
	if err != nil {
		return nil, fmt.Errorf("ldap: url: %w", err)
	}
	roots, err := service.CertPool(c.CA)
	if err != nil {
		return nil, fmt.Errorf("ldap: ca: %w", err)
	}
	d := &directory{LDAPConfig: c, tls: &tls.Config{RootCAs: roots, ServerName: u.Hostname()}, cache: newCache(now),
		guesses: newGuesses(c.Delay, now), conns: make(chan *ldap.Conn, c.Pool)}
	for range c.Pool {
		d.conns <- nil
	}
	return d, nil
}

// close closes the connections, when each is free.
func (d *directory) close() {
	for range cap(d.conns) {
		if c := <-d.conns; c != nil {
			c.Close()
		}
	}
}

// authenticate returns the user of Basic credentials, or why there is none. A refusal takes
// a multiple of Delay, so that it does not show which names there are.
func (d *directory) authenticate(ctx context.Context, credentials string, from netip.Addr) (*identity, error) {
	if id, fresh := d.cache.get(credentials); fresh {
		return id, nil
	}
	b, err := base64.StdEncoding.DecodeString(credentials)
	name, password, ok := strings.Cut(string(b), ":")
	if err != nil || !ok || text(name) == "" || password == "" { // LDAP takes an empty password for no login at all
		return nil, errBadPassword
	}
	begun := time.Now()
	// A browser asks for several things at once, with the same password.
	asked := d.one.DoChan(string(b)+" "+ofNetwork(from).name, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*ldapTimeout)
		defer cancel()
		network := ofNetwork(from)
		if !d.guesses.begin(network) {
			return nil, errTooFast
		}
		id, err := d.ask(ctx, name, password)
		d.guesses.end(network, errors.Is(err, errBadPassword))
		if err == nil {
			d.cache.put(credentials, id, d.cache.now().Add(d.Cache))
		}
		return id, err
	})
	select {
	case r := <-asked:
		id, _ := r.Val.(*identity)
		err = r.Err
		switch {
		case err == nil, errors.Is(err, errTooFast):
			return id, err
		case !errors.Is(err, errBadPassword):
			return nil, errNoLDAP
		}
	case <-ctx.Done():
		return nil, errNoLDAP
	}
	select {
	case <-time.After(d.Delay - time.Since(begun)%d.Delay):
	case <-ctx.Done():
	}
	return nil, errBadPassword
}

// ask takes a connection, and asks on it.
func (d *directory) ask(ctx context.Context, name, password string) (*identity, error) {
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
		id, err := d.askOn(c, name, password)
		if stop() && (err == nil || errors.Is(err, errBadPassword) || errors.Is(err, errTooFast)) {
			return id, err
		}
		c.Close()
		c = nil
		if !old || ctx.Err() != nil { // an old connection may have been closed by the server
			return nil, errors.Join(err, ctx.Err())
		}
	}
}

// dial opens a connection; it returns nil and an error if that fails.
func (d *directory) dial(ctx context.Context) (*ldap.Conn, error) {
	dialer := &net.Dialer{Timeout: ldapTimeout}
	dialer.Deadline, _ = ctx.Deadline()
	c, err := ldap.DialURL(d.URL, ldap.DialWithDialer(dialer), ldap.DialWithTLSConfig(d.tls))
	if err != nil {
		return nil, err
	}
	c.SetTimeout(ldapTimeout)
	if d.StartTLS {
		if err := c.StartTLS(d.tls); err != nil {
			c.Close()
			return nil, err
		}
	}
	return c, nil
}

// askOn searches by the agent's own entry, and binds by the user's.
func (d *directory) askOn(c *ldap.Conn, name, password string) (id *identity, err error) {
	if err := c.Bind(d.BindDN, d.BindPassword.Reveal()); err != nil {
		return nil, fmt.Errorf("bind as %s: %w", d.BindDN, err)
	}
	search := func(base, filter, value string, limit int, attributes ...string) ([]*ldap.Entry, error) {
		r, err := c.Search(ldap.NewSearchRequest(base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, limit, int(ldapTimeout/time.Second), false,
			strings.ReplaceAll(filter, "%s", ldap.EscapeFilter(value)), attributes, nil))
		if err != nil {
			return nil, err
		}
		return r.Entries, nil
	}
	users, err := search(d.Base, d.UserFilter, name, 2, d.UserName, d.Mail)
	if err != nil && !ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded) {
		return nil, err
	}
	// One user has many spellings, and one name may have no user: a visitor must not see
	// the difference, nor get more guesses by it.
	user := ofUser(name)
	if len(users) == 1 {
		user = ofUser(users[0].DN)
	}
	if !d.guesses.begin(user) {
		return nil, errTooFast
	}
	defer func() { d.guesses.end(user, errors.Is(err, errBadPassword)) }()
	if len(users) != 1 {
		return nil, errBadPassword
	}
	id = &identity{Subject: users[0].DN, User: text(users[0].GetAttributeValue(d.UserName)), Mail: text(users[0].GetAttributeValue(d.Mail))}
	if id.User == "" {
		id.User = name
	}
	if d.GroupBase != "" {
		groups, err := search(d.GroupBase, d.GroupFilter, id.Subject, 1000, d.GroupName)
		if err != nil {
			return nil, err
		}
		for _, g := range groups {
			id.Groups = append(id.Groups, text(g.GetAttributeValue(d.GroupName)))
		}
		id.Groups = cleanGroups(id.Groups)
	}
	if err := c.Bind(id.Subject, password); ldap.IsErrorWithCode(err, ldap.LDAPResultInvalidCredentials) {
		return nil, errBadPassword
	} else if err != nil {
		return nil, err
	}
	return id, nil
}

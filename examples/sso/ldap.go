package main

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/netip"
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
	UserFilter   string         `help:"finds a user; %s is the name that was given"`
	Mail         string         `help:"the attribute with the mail address"`
	GroupBase    string         `help:"where groups are; without it users have none"`
	GroupFilter  string         `help:"finds a user's groups; %s is the user's DN"`
	GroupName    string         `help:"the attribute with a group's name"`
	Pool         int            `min:"1" max:"100" help:"connections at most"`
	Cache        time.Duration  `help:"how long a good password is remembered, as a hash; 0: not at all"`
	Delay        time.Duration  `min:"1ms" help:"the least time that a refusal takes; it doubles with each further one of a user or a network"`
}

var ldapDefaults = LDAPConfig{UserFilter: "(uid=%s)", Mail: "mail", GroupFilter: "(member=%s)", GroupName: "cn",
	Pool: 8, Cache: 5 * time.Minute, Delay: 200 * time.Millisecond}

const ldapTimeout = 5 * time.Second

// tooFast is the reason of a refusal without a look at the password.
const tooFast = "too many wrong passwords"

// directory asks an LDAP server who a name and a password belong to.
type directory struct {
	LDAPConfig
	tls     *tls.Config
	cache   *cache
	guesses *guesses
	one     singleflight.Group // of equal credentials
	idle    chan *ldap.Conn    // connections that are not in use
	slots   chan struct{}      // one for each connection that may be
}

func newDirectory(c LDAPConfig, now func() time.Time) (*directory, error) {
	d := &directory{LDAPConfig: c, tls: &tls.Config{}, cache: newCache(now), guesses: newGuesses(c.Delay, now),
		idle: make(chan *ldap.Conn, c.Pool), slots: make(chan struct{}, c.Pool)}
	host, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(c.URL, "ldaps://"), "ldap://"), ":")
	d.tls.ServerName = strings.TrimSuffix(host, "/")
	var err error
	if d.tls.RootCAs, err = service.CertPool(c.CA); err != nil {
		return nil, fmt.Errorf("ldap: ca: %w", err)
	}
	return d, nil
}

func (d *directory) close() {
	for d != nil {
		select {
		case c := <-d.idle:
			c.Close()
		default:
			return
		}
	}
}

// authenticate returns the user of Basic credentials, or nil and the reason. Every refusal
// takes the same time, so that it does not tell which names there are.
func (d *directory) authenticate(ctx context.Context, credentials string, from netip.Addr) (*identity, string) {
	if id, found := d.cache.get(credentials); found {
		return id, "password"
	}
	b, err := base64.StdEncoding.DecodeString(credentials)
	name, password, ok := strings.Cut(string(b), ":")
	if err != nil || !ok || text(name) == "" || password == "" { // LDAP takes an empty password for no login at all
		return nil, "bad credentials"
	}
	begun := time.Now()
	// A browser asks for several things at once, with the same password.
	asked := d.one.DoChan(string(b)+" "+network(from), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*ldapTimeout)
		defer cancel()
		if !d.guesses.begin(name, from) {
			return nil, errTooFast
		}
		id, err := d.ask(ctx, name, password)
		d.guesses.end(name, from, errors.Is(err, errBadPassword))
		if err == nil {
			d.cache.put(credentials, id, d.cache.now().Add(d.Cache))
		}
		return id, err
	})
	var r singleflight.Result
	select {
	case r = <-asked:
	case <-ctx.Done():
		return nil, "LDAP does not answer"
	}
	switch id, _ := r.Val.(*identity); {
	case r.Err == nil:
		return id, "password"
	case errors.Is(r.Err, errTooFast):
		return nil, tooFast
	case !errors.Is(r.Err, errBadPassword):
		return nil, "LDAP does not answer"
	}
	select {
	case <-time.After(d.Delay - time.Since(begun)):
	case <-ctx.Done():
	}
	return nil, "bad credentials"
}

var errTooFast = errors.New(tooFast)

var errBadPassword = errors.New("no such user, or another password")

// ask takes a connection for a search by the agent's own entry, and a bind by the user's.
func (d *directory) ask(ctx context.Context, name, password string) (id *identity, err error) {
	select {
	case d.slots <- struct{}{}:
		defer func() { <-d.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for {
		c, old, err := d.conn(ctx)
		if err != nil {
			return nil, err
		}
		stop := context.AfterFunc(ctx, func() { c.Close() })
		id, err := d.askOn(c, name, password)
		if stop() && (err == nil || errors.Is(err, errBadPassword)) {
			d.idle <- c
			return id, err
		}
		c.Close()
		if !old || ctx.Err() != nil { // an old connection may have been closed by the server
			return nil, errors.Join(err, ctx.Err())
		}
	}
}

func (d *directory) conn(ctx context.Context) (c *ldap.Conn, old bool, err error) {
	select {
	case c := <-d.idle:
		return c, true, nil
	default:
	}
	dialer := &net.Dialer{Timeout: ldapTimeout}
	if deadline, ok := ctx.Deadline(); ok {
		dialer.Deadline = deadline
	}
	c, err = ldap.DialURL(d.URL, ldap.DialWithDialer(dialer), ldap.DialWithTLSConfig(d.tls))
	if err != nil {
		return nil, false, err
	}
	c.SetTimeout(ldapTimeout)
	if d.StartTLS {
		if err := c.StartTLS(d.tls); err != nil {
			c.Close()
			return nil, false, err
		}
	}
	return c, false, nil
}

func (d *directory) askOn(c *ldap.Conn, name, password string) (*identity, error) {
	if err := c.Bind(d.BindDN, d.BindPassword.Reveal()); err != nil {
		return nil, fmt.Errorf("bind as %s: %w", d.BindDN, err)
	}
	search := func(base, filter, value string, limit int, attribute string) ([]*ldap.Entry, error) {
		r, err := c.Search(ldap.NewSearchRequest(base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, limit, int(ldapTimeout/time.Second), false,
			strings.ReplaceAll(filter, "%s", ldap.EscapeFilter(value)), []string{attribute}, nil))
		if err != nil {
			return nil, err
		}
		return r.Entries, nil
	}
	users, err := search(d.Base, d.UserFilter, name, 2, d.Mail)
	if err != nil && !ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded) {
		return nil, err
	}
	if len(users) != 1 {
		return nil, errBadPassword
	}
	id := &identity{Subject: users[0].DN, User: name, Mail: text(users[0].GetAttributeValue(d.Mail))}
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

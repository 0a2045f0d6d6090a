package ldapauth

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/spoke-go/spoke/auth"
)

// askOn searches as the program's own entry, and binds as the user's.
func (d *Directory) askOn(c *ldap.Conn, name, password string) (user *auth.User, err error) {
	if err := c.Bind(d.config.BindDN, d.config.BindPassword.Reveal()); err != nil {
		return nil, fmt.Errorf("bind as %s: %w", d.config.BindDN, err)
	}
	found, err := search(c, d.config.Base, d.config.UserFilter, name, 2, d.config.UserName, d.config.Mail)
	if err != nil && !ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded) {
		return nil, err
	}
	// A user has many spellings, and a name may have no user. A visitor must not see
	// the difference, or get more guesses by it.
	guessed := ofUser(name)
	if len(found) == 1 {
		guessed = ofUser(found[0].DN)
	}
	if !d.guesses.begin(guessed) {
		return nil, auth.ErrTooFast
	}
	defer func() { d.guesses.end(guessed, errors.Is(err, auth.ErrBadPassword)) }()
	if len(found) != 1 {
		return nil, auth.ErrBadPassword
	}
	if user, err = d.read(c, found[0], name); err != nil {
		return nil, err
	}
	err = c.Bind(user.Subject, password)
	if ldap.IsErrorWithCode(err, ldap.LDAPResultInvalidCredentials) {
		return nil, auth.ErrBadPassword
	}
	return user, err
}

// read returns the user of an entry, with the groups.
func (d *Directory) read(c *ldap.Conn, e *ldap.Entry, name string) (*auth.User, error) {
	user := &auth.User{Subject: e.DN, Name: auth.Text(e.GetAttributeValue(d.config.UserName)), Mail: auth.Text(e.GetAttributeValue(d.config.Mail))}
	if user.Name == "" {
		user.Name = name
	}
	if d.config.GroupBase == "" {
		return user, nil
	}
	found, err := search(c, d.config.GroupBase, d.config.GroupFilter, user.Subject, 1000, d.config.GroupName)
	if err != nil {
		return nil, err
	}
	var groups []string
	for _, g := range found {
		groups = append(groups, g.GetAttributeValue(d.config.GroupName))
	}
	user.Groups = auth.Groups(groups)
	return user, nil
}

// search returns the entries, or an error if there are more than limit.
func search(c *ldap.Conn, base, filter, value string, limit int, attributes ...string) ([]*ldap.Entry, error) {
	r, err := c.Search(ldap.NewSearchRequest(base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, limit, int(timeout/time.Second), false,
		strings.ReplaceAll(filter, "%s", ldap.EscapeFilter(value)), attributes, nil))
	if err != nil {
		return nil, err
	}
	return r.Entries, nil
}

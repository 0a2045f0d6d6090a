package ldapauth

import (
	"net/url"
	"strings"
	"time"

	"github.com/spoke-go/spoke/service"
)

// Config are the settings of a directory: part of the settings of an agent on package
// service.
type Config struct {
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

// Defaults returns the settings to start from.
func Defaults() Config {
	return Config{UserFilter: "(uid=%s)", UserName: "uid", Mail: "mail", GroupFilter: "(member=%s)", GroupName: "cn",
		Pool: 8, Cache: 5 * time.Minute, Delay: 200 * time.Millisecond}
}

// Validate refuses a text that is not an address. An empty one means that there is no
// directory.
func (c Config) Validate() error {
	u, err := url.Parse(c.URL)
	switch {
	case c.URL == "":
		return nil
	case err != nil || u.Host == "" || u.Scheme != "ldap" && u.Scheme != "ldaps":
		return service.Wrong("url", "%q is no address of a directory: write ldaps://host", c.URL)
	case !strings.Contains(c.UserFilter, "%s"):
		return service.Wrong("user-filter", "%q does not name the user: write %%s where the name belongs", c.UserFilter)
	}
	return nil
}

package main

import (
	"cmp"
	"errors"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spoke-go/spoke/examples/rate-limit/internal/criteria"
	"github.com/spoke-go/spoke/examples/rate-limit/internal/gcra"
	"github.com/spoke-go/spoke/service"
)

// Config are the agent's own settings.
type Config struct {
	Limits []Limit `help:"the limits; a request is held against each that it matches, and refused if one of them refuses it. Only a file can have them"`

	Allow  []netip.Prefix `value:"NETWORK" help:"networks whose requests no limit counts, such as 10.0.0.0/8"`
	Agents int64          `min:"1" max:"10000" help:"how many agents share the limits while Redis is gone: each gets as large a share of them"`
	Gone   string         `value:"MODE" oneof:"local,open,closed" help:"while Redis is slow or gone: local limits by this agent's own counts, open lets all requests pass, closed refuses them"`
	Keys   int            `conf:",fixed" min:"1000" max:"100000000" help:"how many keys the agent remembers at most, of clients that are refused and of clients that it counts itself; 1000000 of each take about 40 MB"`

	Redis Redis
}

// Limit is one limit.
type Limit struct {
	Name   string          // in variables, headers and metrics
	By     []criteria.Part // distinguishes clients; empty: one limit for all requests
	Rate   int64           `min:"1"`                  // requests in a Period
	Period time.Duration   `min:"1ms" max:"8784h"`    // default: 1s
	Burst  int64           `min:"1" max:"1000000000"` // requests at once; default: Rate
	Cost   int64           `min:"1"`                  // of a request; default: 1

	Path   []criteria.Pattern // the limit is only for these; default: all
	Method []string           // the limit is only for these; default: all

	IPv4Prefix int  `conf:"ipv4-prefix" min:"8" max:"32"`   // bits of an address that distinguish clients; default: 32
	IPv6Prefix int  `conf:"ipv6-prefix" min:"16" max:"128"` // default: 64
	DryRun     bool // counts, and refuses nothing
}

// Redis has the settings of the Redis with the state of the limits.
type Redis struct {
	Address  []string       `conf:",fixed" group:"Redis" value:"HOST:PORT" help:"of Redis, of nodes of a cluster if there are several, or of sentinels; without it, this agent alone counts"`
	Master   string         `conf:",fixed" value:"NAME" help:"name of the master that the sentinels watch"`
	Cluster  bool           `conf:",fixed" help:"the one address is a node of a cluster"`
	Username string         `conf:",fixed"`
	Password service.Secret `conf:",fixed"`

	SentinelPassword service.Secret `conf:",fixed" help:"of the sentinels, if they have one"`

	DB       int               `conf:",fixed" min:"0" help:"number of the database; a cluster has only 0"`
	TLS      bool              `conf:",fixed" help:"connect by TLS, to sentinels as well"`
	Files    service.ClientTLS `conf:",inline"` // of TLS
	Prefix   string            `conf:",fixed" help:"begins the name of each key"`
	Deadline time.Duration     `conf:",fixed" min:"1ms" max:"1s" help:"how long a request waits for Redis; the service's timeout must be longer"`
}

var defaults = Config{
	Limits: []Limit{{Name: "address", By: []criteria.Part{{Kind: "ip"}}, Rate: 100, Period: 10 * time.Second}},
	Agents: 1,
	Gone:   "local",
	Keys:   1_000_000,
	Redis:  Redis{Prefix: "rl:", Deadline: 10 * time.Millisecond},
}

// Validate checks the limits against each other, and the addresses of Redis.
func (c Config) Validate() error {
	var errs []error
	r := c.Redis
	for _, wrong := range []struct {
		is       bool
		key, why string
	}{
		{!r.TLS && r.Files != (service.ClientTLS{}), "tls", "is not set, but ca, cert or key is: write tls: true, or remove them"},
		{len(r.Address) == 0 && (r.Master != "" || r.Cluster), "address", "is missing, but master or cluster is set: write address, or remove them"},
		{r.Master != "" && r.Cluster, "master", "is set with cluster: remove one of the two"},
		{r.Master == "" && r.SentinelPassword.Reveal() != "", "sentinel-password", "is set without master: write master, too"},
		{r.Master == "" && (r.Cluster || len(r.Address) > 1) && r.DB != 0, "db", "is not 0, the only database of a cluster: remove it"},
		{strings.ContainsAny(r.Prefix, "{}"), "prefix", "has braces, by which a cluster distributes keys: remove them"},
	} {
		if wrong.is {
			errs = append(errs, service.Wrong("redis."+wrong.key, "%s", wrong.why))
		}
	}
	for i, addr := range r.Address {
		_, port, err := net.SplitHostPort(addr)
		if n, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || n == 0 {
			errs = append(errs, service.Wrong("redis.address["+strconv.Itoa(i)+"]", "%q is not an address: write host:port, such as 127.0.0.1:6379, once for each", addr))
		}
	}
	names := make(map[string]bool)
	for i, l := range c.Limits {
		if names[l.Name] {
			errs = append(errs, service.Wrong("limits["+strconv.Itoa(i)+"].name", "%q is another limit's: write one of its own", l.Name))
		}
		names[l.Name] = true
	}
	return errors.Join(errs...)
}

// Validate checks a limit.
func (l Limit) Validate() error {
	l = l.withDefaults()
	switch {
	case !name.MatchString(l.Name):
		return service.Wrong("name", "%q is no name: write letters, digits, '-' and '_', such as login", l.Name)
	case slices.ContainsFunc(l.Method, func(m string) bool { return !method.MatchString(m) }):
		return service.Wrong("method", "%q is not in capital letters, such as POST: write methods as requests have them", l.Method)
	case l.Rate < 1:
		return service.Wrong("rate", "is missing: write how many requests a period has, such as 100")
	case l.interval() < 80: // ticks are too coarse for less
		return service.Wrong("rate", "%d in %v is too much: write 50000 a second at most", l.Rate, l.Period)
	case l.Cost > l.Burst:
		return service.Wrong("cost", "%d is more than the burst: write %d or less", l.Cost, l.Burst)
	}
	return nil
}

var (
	name   = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
	method = regexp.MustCompile(`^[A-Z][A-Z0-9-]*$`)
)

func (l Limit) withDefaults() Limit {
	l.Period = cmp.Or(l.Period, time.Second)
	l.Burst = cmp.Or(l.Burst, l.Rate)
	l.Cost = cmp.Or(l.Cost, 1)
	l.IPv4Prefix = cmp.Or(l.IPv4Prefix, 32)
	l.IPv6Prefix = cmp.Or(l.IPv6Prefix, 64)
	return l
}

// interval returns the time from one request to the next at the limit's rate, in ticks,
// rounded.
func (l Limit) interval() int64 {
	return (int64(l.Period/gcra.Tick) + l.Rate/2) / l.Rate
}

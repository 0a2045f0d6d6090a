package main

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"

	"go.opentelemetry.io/otel/metric"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/examples/rate-limit/internal/criteria"
	"github.com/spoke-go/spoke/examples/rate-limit/internal/gcra"
)

// policy is the part of a configuration about requests. Only checked changes.
type policy struct {
	config  *Config
	limits  []limit
	shared  []criteria.Part // the parts that all limits have
	args    []criteria.Part // all parts that HAProxy must send
	checked atomic.Bool     // whether noteMissing checked them
}

// limit is a Limit, prepared.
type limit struct {
	Limit
	own     []criteria.Part // By, without the shared parts
	text    string          // of the header RateLimit-Policy
	counted map[decision]metric.AddOption
}

func newPolicy(c *Config) *policy {
	p := &policy{config: c}
	if len(c.Allow) > 0 {
		p.args = append(p.args, criteria.Part{Kind: "ip"})
	}
	for _, l := range c.Limits {
		l = l.withDefaults()
		p.limits = append(p.limits, limit{Limit: l, counted: counters(l.Name),
			text: fmt.Sprintf("%q;q=%d;w=%.0f", l.Name, l.Rate, max(l.Period.Seconds(), 1))})
		p.args = append(p.args, l.By...)
		if len(l.Path) > 0 {
			p.args = append(p.args, criteria.Part{Kind: "path"})
		}
		if len(l.Method) > 0 {
			p.args = append(p.args, criteria.Part{Kind: "method"})
		}
	}
	p.share()
	slices.SortFunc(p.args, func(a, b criteria.Part) int { return strings.Compare(a.Arg(), b.Arg()) })
	p.args = slices.Compact(p.args)
	return p
}

// share finds the parts that all limits have.
func (p *policy) share() {
	for i, l := range p.limits {
		if i == 0 {
			p.shared = slices.Clone(l.By)
		}
		first := p.limits[0]
		p.shared = slices.DeleteFunc(p.shared, func(s criteria.Part) bool {
			return !slices.Contains(l.By, s) || s.Kind == "ip" && (l.IPv4Prefix != first.IPv4Prefix || l.IPv6Prefix != first.IPv6Prefix)
		})
	}
	for i := range p.limits {
		p.limits[i].own = slices.DeleteFunc(slices.Clone(p.limits[i].By), func(b criteria.Part) bool { return slices.Contains(p.shared, b) })
	}
}

// charges returns a request's charges, in the order of the limits. All keys of a request
// have the same text in braces, so that a cluster keeps them on one node. The text is made
// of the parts that all limits have, if there are any.
func (p *policy) charges(args codec.Args) (charges []gcra.Charge) {
	r := request{args}
	if ip := r.ip(); slices.ContainsFunc(p.config.Allow, func(n netip.Prefix) bool { return n.Contains(ip) }) {
		return nil
	}
	for i := range p.limits {
		l := &p.limits[i]
		if !r.matches(l) {
			continue
		}
		shared, ok1 := r.key(l, p.shared)
		own, ok2 := r.key(l, l.own)
		if ok1 && ok2 {
			charges = append(charges, gcra.Charge{
				Limit: i, Key: p.config.Redis.Prefix + "{." + shared + "}" + l.Name + own,
				Interval: l.interval(), Burst: l.Burst, Cost: min(l.Cost*min(r.cost(), l.Burst), l.Burst), DryRun: l.DryRun,
			})
		}
	}
	return charges
}

// request reads a request's arguments.
type request struct{ args codec.Args }

func (r request) value(arg string) codec.Value {
	v, _ := r.args.Lookup(arg)
	return v
}

// ip returns the client's address, or an invalid one if there is none.
func (r request) ip() netip.Addr {
	ip, _ := r.value("ip").Addr()
	return ip.Unmap().WithZone("")
}

func (r request) path() string { return criteria.CleanPath(r.value("path").Str()) }

// cost returns the request's cost, 1 or more.
func (r request) cost() int64 {
	n, _ := r.value(costArg).Int()
	return max(n, 1)
}

func (r request) matches(l *limit) bool {
	return (len(l.Method) == 0 || slices.Contains(l.Method, r.value("method").Str())) &&
		(len(l.Path) == 0 || slices.ContainsFunc(l.Path, func(p criteria.Pattern) bool { return p.Matches(r.path()) }))
}

// key returns the text of parts of the request; ok is false if it lacks one of them. It
// hashes values that a visitor can choose, so that keys are short and hide secrets.
func (r request) key(l *limit, parts []criteria.Part) (key string, ok bool) {
	for _, p := range parts {
		text := r.value(p.Arg()).Bytes()
		switch p.Kind {
		case "ip":
			bits := l.IPv6Prefix
			if r.ip().Is4() {
				bits = l.IPv4Prefix
			}
			network, err := r.ip().Prefix(bits)
			if err != nil || !network.IsValid() {
				return "", false
			}
			key += network.Addr().String() + " "
			continue
		case "path":
			text = []byte(r.path())
		}
		if len(text) == 0 {
			return "", false
		}
		sum := sha256.Sum256(text)
		key += base64.RawURLEncoding.EncodeToString(sum[:12]) + " "
	}
	return key, true
}

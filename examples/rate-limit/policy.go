package main

import (
	"crypto/sha256"
	"encoding/base64"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"go.opentelemetry.io/otel/metric"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/examples/rate-limit/internal/gcra"
)

// policy is what a configuration says of requests. It does not change.
type policy struct {
	config *Config
	limits []limit
	shared []part // each limit is by these, among others
	args   []part // all that HAProxy has to send

	checked atomic.Bool // whether it does
}

// limit is a Limit, prepared.
type limit struct {
	Limit
	ticks int64  // from one request to the next
	own   []part // By, without those that are shared
	text  string // of the header RateLimit-Policy

	counted map[decision]metric.AddOption
}

// use is a limit that counts a request.
type use struct {
	limit  *limit
	charge gcra.Charge
}

func newPolicy(c *Config) *policy {
	p := &policy{config: c}
	add := func(kind string) { p.args = append(p.args, part{kind: kind}) }
	if len(c.Allow) > 0 {
		add("ip")
	}
	for i, l := range c.Limits {
		l = l.withDefaults()
		seconds := int64(max(l.Period.Seconds(), 1))
		p.limits = append(p.limits, limit{Limit: l, ticks: l.interval(), counted: counters(l.Name),
			text: strconv.Quote(l.Name) + ";q=" + strconv.FormatInt(l.Rate, 10) + ";w=" + strconv.FormatInt(seconds, 10)})
		p.args = append(p.args, l.By...)
		if len(l.Path) > 0 {
			add("path")
		}
		if len(l.Method) > 0 {
			add("method")
		}
		if i == 0 {
			p.shared = slices.Clone(l.By)
		}
		p.shared = slices.DeleteFunc(p.shared, func(s part) bool {
			return !slices.Contains(l.By, s) || s.kind == "ip" && !sameNetwork(l, c.Limits[0].withDefaults())
		})
	}
	for i := range p.limits {
		p.limits[i].own = slices.DeleteFunc(slices.Clone(p.limits[i].By), func(b part) bool { return slices.Contains(p.shared, b) })
	}
	slices.SortFunc(p.args, func(a, b part) int { return strings.Compare(a.arg(), b.arg()) })
	p.args = slices.Compact(p.args)
	return p
}

func sameNetwork(a, b Limit) bool {
	return a.IPv4Prefix == b.IPv4Prefix && a.IPv6Prefix == b.IPv6Prefix
}

// uses returns what counts a request, in the order of the limits. All keys of a request
// have the same text in braces, so that a cluster keeps them on one node: what the limits
// are all by, if there is something.
func (p *policy) uses(args codec.Args, cost int64) (uses []use) {
	r := request{args: args}
	if len(p.config.Allow) > 0 {
		if ip := r.ip(); slices.ContainsFunc(p.config.Allow, func(n netip.Prefix) bool { return n.Contains(ip) }) {
			return nil
		}
	}
	for i := range p.limits {
		l := &p.limits[i]
		if len(l.Method) > 0 && !slices.Contains(l.Method, r.text("method")) ||
			len(l.Path) > 0 && !slices.ContainsFunc(l.Path, func(pt pattern) bool { return pt.matches(clean(r.text("path"))) }) {
			continue
		}
		tag, ok1 := r.key(l, p.shared)
		own, ok2 := r.key(l, l.own)
		if !ok1 || !ok2 {
			continue
		}
		uses = append(uses, use{l, gcra.Charge{
			Key:      p.config.Redis.Prefix + "{." + tag + "}" + l.Name + own,
			Interval: l.ticks,
			Burst:    l.Burst,
			Cost:     min(l.Cost*min(cost, l.Burst), l.Burst),
			DryRun:   l.DryRun,
		}})
	}
	return uses
}

// request reads a request's arguments.
type request struct{ args codec.Args }

// ip is the client's address, invalid if there is none.
func (r request) ip() netip.Addr {
	v, _ := r.args.Lookup("ip")
	ip, _ := v.Addr()
	return ip.Unmap()
}

func (r request) text(arg string) string {
	v, _ := r.args.Lookup(arg)
	return v.Str()
}

// key returns the text of parts of the request; ok is false if it lacks one of them.
func (r request) key(l *limit, parts []part) (key string, ok bool) {
	for _, p := range parts {
		var text string
		switch p.kind {
		case "ip":
			ip := r.ip()
			bits := l.IPv6Prefix
			if ip.Is4() {
				bits = l.IPv4Prefix
			}
			network, err := ip.WithZone("").Prefix(bits)
			if err != nil {
				return "", false
			}
			text = network.Addr().String()
		case "path":
			text = brief(clean(r.text("path")))
		case "host", "method":
			text = brief(r.text(p.kind))
		default: // a hash
			v, _ := r.args.Lookup(p.arg())
			b := v.Bytes()
			if len(b) < 12 {
				return "", false
			}
			text = base64.RawURLEncoding.EncodeToString(b[:12])
		}
		key += "\n" + text
	}
	return key, true
}

// brief returns a text that a visitor has chosen, or a hash of it if it is long.
func brief(s string) string {
	if len(s) <= 64 {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

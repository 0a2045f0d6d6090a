package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/examples/ip-reputation/internal/geo"
	"github.com/spoke-go/spoke/examples/ip-reputation/internal/reputation"
	"github.com/spoke-go/spoke/service"
	"github.com/spoke-go/spoke/spoe"
)

// geoRule gives the addresses of a country, a continent or a network a score.
type geoRule struct {
	Country   string `value:"CODE"`
	Continent string `value:"CODE"`
	ASN       uint32 `conf:"asn" min:"1"`
	Score     int    `min:"0" max:"100"`
}

// UnmarshalText reads a rule as a flag has it: country=XX,score=20. Without a score it
// has the worst.
func (r *geoRule) UnmarshalText(text []byte) error {
	*r = geoRule{Score: reputation.Listed}
	for pair := range strings.SplitSeq(string(text), ",") {
		key, value, _ := strings.Cut(pair, "=")
		switch key {
		case "country":
			r.Country = value
		case "continent":
			r.Continent = value
		case "asn":
			n, err := strconv.ParseUint(value, 10, 32)
			if err != nil {
				return fmt.Errorf("asn is %q: write a number such as 64500", value)
			}
			r.ASN = uint32(n)
		case "score":
			n, err := strconv.Atoi(value)
			if err != nil {
				return fmt.Errorf("score is %q: write a number from %d to %d", value, reputation.Listed, reputation.Clean)
			}
			r.Score = n
		default:
			return fmt.Errorf("unknown key %q: there are country, continent, asn and score", key)
		}
	}
	return r.Validate()
}

// MarshalText is the reverse of UnmarshalText.
func (r geoRule) MarshalText() ([]byte, error) {
	return []byte(r.name() + ",score=" + strconv.Itoa(r.Score)), nil
}

// Validate refuses a rule that no address or more than one kind of place matches.
func (r geoRule) Validate() error {
	kinds := 0
	for _, set := range []bool{r.Country != "", r.Continent != "", r.ASN != 0} {
		if set {
			kinds++
		}
	}
	switch {
	case kinds != 1:
		return errors.New("has not one of country, continent and asn: write one, such as country=XX,score=20")
	case !isCode(r.Country) || !isCode(r.Continent):
		return errors.New("has no code of two capital letters: write one such as country=XX or continent=AN")
	case r.Score < reputation.Listed || r.Score > reputation.Clean:
		return fmt.Errorf("score is %d: write a number from %d to %d", r.Score, reputation.Listed, reputation.Clean)
	}
	return nil
}

func isCode(s string) bool {
	return s == "" || len(s) == 2 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// name is the rule's name among the lists.
func (r geoRule) name() string {
	switch {
	case r.Country != "":
		return "country=" + r.Country
	case r.Continent != "":
		return "continent=" + r.Continent
	}
	return "asn=" + strconv.FormatUint(uint64(r.ASN), 10)
}

func (r geoRule) matches(p geo.Place) bool {
	return r.Country != "" && r.Country == p.Country || r.Continent != "" && r.Continent == p.Continent || r.ASN != 0 && r.ASN == p.ASN
}

// geoField is a further value of the databases, and its variable.
type geoField struct {
	name string
	path []any
}

// UnmarshalText reads a field: city=city.names.en.
func (f *geoField) UnmarshalText(text []byte) error {
	name, path, _ := strings.Cut(string(text), "=")
	if name == "" || path == "" {
		return errors.New("is no field: write its variable and its path in the database, such as city=city.names.en")
	}
	if err := codec.CheckVarName(spoe.VarScopeSession, name); err != nil {
		return err
	}
	f.name, f.path = name, nil
	for part := range strings.SplitSeq(path, ".") {
		if i, err := strconv.Atoi(part); err == nil {
			f.path = append(f.path, i)
		} else {
			f.path = append(f.path, part)
		}
	}
	return nil
}

// MarshalText is the reverse of UnmarshalText.
func (f geoField) MarshalText() ([]byte, error) {
	parts := make([]string, len(f.path))
	for i, part := range f.path {
		parts[i] = fmt.Sprint(part)
	}
	return []byte(f.name + "=" + strings.Join(parts, ".")), nil
}

// deriveDatabases opens the databases now, and whenever the settings or one of the files
// change. One that is broken leaves all as it is, and the service says so.
func deriveDatabases(s *service.Setup[Config]) (*service.Derived[geo.Set], error) {
	s.Watch(func(c *Config) []string { return c.Database })
	var current *service.Derived[geo.Set]
	derived, err := s.Derive(func(_ context.Context, c *Config) (geo.Set, error) {
		var before geo.Set
		if current != nil {
			before = current.Load()
		}
		return geo.Open(c.Database, before)
	})
	current = derived
	return derived, err
}

// setFields is middleware that sets the variables of further fields.
func setFields(fields []geoField, databases func() geo.Set) spoe.Middleware {
	return func(next spoe.Handler) spoe.Handler {
		if len(fields) == 0 {
			return next
		}
		return spoe.HandlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
			v, _ := msg.Args.Lookup("ip")
			if addr, ok := v.Addr(); ok {
				for _, f := range fields {
					value := databases().Field(addr, f.path) // nil unsets the variable
					err := acts.SetVar(spoe.VarScopeSession, f.name, value)
					if err != nil {
						err = acts.SetString(spoe.VarScopeSession, f.name, fmt.Sprint(value)) // a list or a map
					}
					if err != nil {
						return err
					}
				}
			}
			return next.ServeSPOE(ctx, msg, acts)
		})
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/examples/ip-reputation/internal/geo"
	"github.com/spoke-go/spoke/service"
	"github.com/spoke-go/spoke/spoe"
)

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
// change. A broken file changes nothing, and the service logs it.
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

package write

import (
	"errors"
	"fmt"

	"github.com/spoke-go/spoke/haproxy/internal/model"
)

// Files is haproxy.Files, which documents the fields.
type Files struct {
	SPOE     string
	Backend  string
	Frontend string
	Site     string
}

// Write is haproxy.Write.
func Write(a model.Agent, s Settings) (Files, error) {
	c, err := Config{Settings: s}.complete()
	a, placed := placeGroups(a)
	engines, timed := c.engines(a)
	if c.Affinity != "" && setterOf(engines, c.Affinity) == nil {
		err = errors.Join(err, fmt.Errorf("haproxy: Config.Affinity names %q, which no message sets in the scope txn: give a result's field the tag `spoe:%q`", c.Affinity, c.Affinity))
	}
	if c.splits() {
		var split error
		if engines, split = c.split(engines); split != nil {
			err = errors.Join(err, split)
		}
	}
	for name, variable := range c.Headers {
		if setterOf(engines, variable) == nil {
			err = errors.Join(err, fmt.Errorf("haproxy: Config.Headers[%q] names %q, which no message sets in the scope txn: give a result's field the tag `spoe:%q`", name, variable, variable))
		}
	}
	if err = errors.Join(err, placed, timed, verifyAgent(&a, engines)); err != nil {
		return Files{}, err
	}
	return Files{SPOE: writeSPOE(engines), Backend: writeBackend(a, c, engines), Frontend: writeFrontend(engines), Site: writeSite(engines)}, nil
}

// fullName is a variable's name in HAProxy's configuration.
func (c *Config) fullName(scope, name string) string { return scope + "." + c.Prefix + "." + name }

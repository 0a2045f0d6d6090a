package write

import (
	"errors"

	"github.com/spoke-go/spoke/haproxy/internal/model"
)

// Files is haproxy.Files, which documents the fields.
type Files struct {
	SPOE     string
	Backend  string
	Frontend string
}

// Write is haproxy.Write.
func Write(a model.Agent, c Config) (Files, error) {
	c, err := c.complete(a)
	if err = errors.Join(err, verifyAgent(&a, c)); err != nil {
		return Files{}, err
	}
	return Files{SPOE: writeSPOE(a, c), Backend: writeBackend(a, c), Frontend: writeFrontend(a, c)}, nil
}

// fullName is a variable's name in HAProxy's configuration.
func (c *Config) fullName(scope, name string) string { return scope + "." + c.Prefix + "." + name }

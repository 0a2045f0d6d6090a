package check

import (
	"errors"
)

// Sources is haproxy.Sources, which documents the fields.
type Sources struct {
	Configs   []string
	SPOE      string
	Engine    string
	Version   string
	LookupEnv func(name string) (string, bool)
}

// errNoSPOE means that the configuration has no SPOE filter, so there is nothing to
// check.
var errNoSPOE = errors.New("haproxy: no frontend, backend or listen section has a line \"filter spoe … config FILE\", so HAProxy asks no agent")

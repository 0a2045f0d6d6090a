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

// errNoSPOE: the configuration has no SPOE filter, so nothing can be checked.
var errNoSPOE = errors.New("haproxy: no frontend, backend or listen section has a line \"filter spoe … config FILE\": there is nothing that the agent could be asked by")

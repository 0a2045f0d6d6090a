package haproxy

import (
	"errors"
)

// Sources are the files that [Check] reads.
type Sources struct {
	// Configs are haproxy.cfg and what else HAProxy is started with, in the order
	// of its -f options. Of a folder its files named *.cfg are read, but for
	// hidden ones.
	Configs []string
	// SPOE is the SPOE file. Default: the one that the filter line names, from
	// HAProxy's working directory (this program's) or, if it is not there, from
	// the folder of the file that has the line.
	SPOE string
	// Engine is the SPOE engine to check. Default: the one that sends messages
	// which the agent handles.
	Engine string
	// Version is HAProxy's version, such as "3.2", for .if version_atleast().
	// Default: the branches of all versions are read.
	Version string
	// LookupEnv has the environment that HAProxy will have. Default: os.LookupEnv.
	LookupEnv func(name string) (string, bool)
}

// errNoSPOE tells that there is nothing to check.
var errNoSPOE = errors.New("haproxy: no frontend, backend or listen section has a line \"filter spoe … config FILE\": there is nothing that the agent could be asked by")

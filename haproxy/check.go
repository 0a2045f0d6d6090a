package haproxy

import "github.com/spoke-go/spoke/haproxy/internal/check"

// Sources are the files that [Check] reads.
type Sources struct {
	// Configs are haproxy.cfg and what else HAProxy is started with, in the order
	// of its -f options. Of a folder its files named *.cfg are read, but for
	// hidden ones.
	Configs []string
	// SPOE is the SPOE file. Default: the file that the filter line names, from HAProxy's
	// working directory (this program's) or, if it is not there, from the folder of the
	// file that has the line.
	SPOE string
	// Engine is the SPOE engine to check. Default: the engine that sends messages which the
	// agent handles.
	Engine string
	// Version is HAProxy's version, such as "3.2", for .if version_atleast().
	// Default: the branches of all versions are read.
	Version string
	// LookupEnv has the environment that HAProxy will have. Default: os.LookupEnv.
	LookupEnv func(name string) (string, bool)
}

// Finding is something in HAProxy's configuration that does not fit the agent.
type Finding = check.Finding

// Check compares HAProxy's configuration with an agent and returns what does not fit, in
// the order of files and lines. It leaves mistakes that HAProxy itself refuses to `haproxy
// -c`. The error is about what cannot be checked: files that cannot be read, no filter
// line, several engines of which none stands out.
//
// A configuration with several engines is checked for the one that sends messages of the
// agent's, the most of them; several filter lines of that engine are all checked. Messages
// of another engine count as sent.
func Check(a Agent, s Sources) ([]Finding, error) { return check.Check(a, check.Sources(s)) }

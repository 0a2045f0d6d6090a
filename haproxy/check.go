package haproxy

import "github.com/spoke-go/spoke/haproxy/internal/check"

// Sources are the files that [Check] reads.
type Sources struct {
	// Configs are the arguments of HAProxy's -f options, in their order. In a folder,
	// Check reads the files *.cfg that are not hidden.
	Configs []string
	// SPOE is the SPOE file. Default: the file that the filter line names, from HAProxy's
	// working directory (this program's) or, if it is not there, from the folder of the
	// file that has the line.
	SPOE string
	// Engine is the SPOE engine to check. Default: the engine that sends messages which the
	// agent handles.
	Engine string
	// Version is HAProxy's version, such as "3.2", for .if version_atleast(). Default:
	// Check reads the branches of all versions.
	Version string
	// LookupEnv returns a variable of HAProxy's environment. Default: os.LookupEnv.
	LookupEnv func(name string) (string, bool)
}

// Finding is a mistake in HAProxy's configuration for the agent.
type Finding = check.Finding

// Check compares HAProxy's configuration with an agent and returns the mistakes, in the
// order of files and lines. It does not report mistakes that `haproxy -c` reports. It
// returns an error for a file that it cannot read, a missing filter line, or several
// engines without a clear choice.
//
// If there are several engines, Check checks the one that sends most of the agent's
// messages, with all of its filter lines. Messages of another engine count as sent.
func Check(a Agent, s Sources) ([]Finding, error) { return check.Check(a, check.Sources(s)) }

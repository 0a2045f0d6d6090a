package load

import "github.com/spoke-go/spoke/codec"

// FailureVar names the variable that an agent sets where it failed to handle a
// message, as router.ErrorVar does.
type FailureVar struct {
	Scope codec.Scope
	Name  string
}

// Outcomes counts ACKs by their variables.
type Outcomes struct {
	// Failed have the FailureVar with another text than "timeout", TimedOut with that.
	Failed, TimedOut uint64
	// Empty have no action.
	Empty uint64
}

type outcome uint8

const (
	answered outcome = iota
	failed
	timedOut
	empty
)

func (o *Outcomes) add(what outcome) {
	switch what {
	case failed:
		o.Failed++
	case timedOut:
		o.TimedOut++
	case empty:
		o.Empty++
	}
}

// outcomeOf classifies the payload of an ACK.
func outcomeOf(payload []byte, f *FailureVar) outcome {
	if len(payload) == 0 {
		return empty
	}
	if f == nil {
		return answered
	}
	actions, _ := codec.ParseActions(payload) // those before a malformed one count
	for _, a := range actions {
		if a.Unset || a.Scope != f.Scope || a.Name != f.Name {
			continue
		}
		if string(a.Value.Bytes()) == "timeout" {
			return timedOut
		}
		return failed
	}
	return answered
}

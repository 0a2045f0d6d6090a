package rules

import (
	"cmp"

	"github.com/corazawaf/coraza/v3/types"

	"github.com/spoke-go/spoke/internal/safetext"
)

// Hit is a rule that matched.
type Hit struct{ types.MatchedRule }

// ID returns the rule's number.
func (h Hit) ID() int { return h.Rule().ID() }

// Place names what the rule matched, such as ARGS:id: the last part of a chain.
func (h Hit) Place() (name string) {
	for _, d := range h.MatchedDatas() {
		name = cmp.Or(Place(d), name)
	}
	return name
}

// Place names a variable that a rule matched, such as ARGS:id.
func Place(d types.MatchData) string {
	switch name := d.Variable().Name(); {
	case name == "UNKNOWN":
		return ""
	case d.Key() != "":
		return name + ":" + safetext.Clip(d.Key(), 64)
	default:
		return name
	}
}

package inspect

import (
	"cmp"
	"slices"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
)

// A closing counts the DISCONNECTs of one side with one status.
type closing struct {
	By     string `json:"by"`
	Code   uint32 `json:"code"`
	Reason string `json:"reason"`
	Count  uint64 `json:"count"`
}

// closings returns the DISCONNECT frames in a fixed order.
func closings(s spoe.Stats) []closing {
	var all []closing
	add := func(by string, m map[codec.Status]uint64) {
		from := len(all)
		for status, n := range m {
			all = append(all, closing{By: by, Code: uint32(status), Reason: status.String(), Count: n})
		}
		slices.SortFunc(all[from:], func(a, b closing) int { return cmp.Compare(a.Code, b.Code) })
	}
	add("agent", s.DisconnectsSent)
	add("HAProxy", s.DisconnectsReceived)
	return all
}

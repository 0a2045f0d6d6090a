package load

import (
	"fmt"
	"slices"

	"github.com/spoke-go/spoke/codec"
)

// SameActions reports whether the payloads of two ACKs have the same actions. Their
// bytes may differ: HAProxy takes any integer type. Variables in ignore, such as
// txn.request_id, may differ or be missing.
func SameActions(got, want []byte, ignore ...string) error {
	g, err := codec.ParseActions(got)
	if err != nil {
		return fmt.Errorf("ACK: %w", err)
	}
	w, err := codec.ParseActions(want)
	if err != nil {
		return fmt.Errorf("expected ACK: %w", err)
	}
	ignored := func(a codec.Action) bool { return slices.Contains(ignore, a.Scope.String()+"."+a.Name) }
	g, w = slices.DeleteFunc(g, ignored), slices.DeleteFunc(w, ignored)
	if !slices.EqualFunc(g, w, sameAction) {
		return fmt.Errorf("an ACK with %v, expected %v", g, w)
	}
	return nil
}

func sameAction(a, b codec.Action) bool {
	i, aInt := a.Value.Int()
	j, bInt := b.Value.Int()
	return a.Unset == b.Unset && a.Scope == b.Scope && a.Name == b.Name &&
		(aInt && bInt && i == j || a.Value.Equal(b.Value))
}

// reason returns the reason that an AGENT-DISCONNECT states.
func reason(f codec.Frame) string {
	if f.Type != codec.FrameAgentDisconnect {
		return ""
	}
	d, err := codec.ParseDisconnect(f.Payload)
	if err != nil {
		return ""
	}
	return fmt.Sprintf(" (status %d: %s)", d.Status, d.Message)
}

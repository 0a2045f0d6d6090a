package middleware

import (
	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
)

// answer has the actions of a handler, for other messages. It does not change, so
// several goroutines may read it.
type answer []codec.Action

// keep copies the actions.
func keep(acts *spoe.Actions) answer {
	var a answer
	for act := range acts.All() {
		act.Value = act.Value.Clone()
		a = append(a, act)
	}
	return a
}

// give adds the answer to acts, which copies it.
func (a answer) give(acts *spoe.Actions) error {
	for i := range a {
		if err := add(acts, &a[i]); err != nil {
			return err
		}
	}
	return nil
}

// add adds one action to acts.
func add(acts *spoe.Actions, act *codec.Action) error {
	if act.Unset {
		return acts.UnsetVar(act.Scope, act.Name)
	}
	return acts.SetValue(act.Scope, act.Name, act.Value)
}

// size returns how many bytes the answer takes in memory, roughly.
func (a answer) size() (n int) {
	for i := range a {
		n += 80 + len(a[i].Name) + len(a[i].Value.Bytes())
	}
	return n
}

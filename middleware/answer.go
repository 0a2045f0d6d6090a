package middleware

import (
	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
)

// answer is what a handler has set, kept to give it to others too. It is never
// changed, so it may be read by several at once.
type answer []codec.Action

// keep copies what is in acts, but for the first ones.
func keep(acts *spoe.Actions, first int) answer {
	var a answer
	for act := range acts.All() {
		if first > 0 {
			first--
			continue
		}
		act.Value = act.Value.Clone()
		a = append(a, act)
	}
	return a
}

// give adds the answer to acts, which copies it.
func (a answer) give(acts *spoe.Actions) error {
	for i := range a {
		act := &a[i]
		var err error
		if act.Unset {
			err = acts.UnsetVar(act.Scope, act.Name)
		} else {
			err = acts.SetValue(act.Scope, act.Name, act.Value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// size is what it takes in memory, in bytes and about.
func (a answer) size() int {
	n := 0
	for i := range a {
		n += 80 + len(a[i].Name) + len(a[i].Value.Bytes())
	}
	return n
}

package sample

import "testing"

func TestHeld(t *testing.T) {
	if !held(9) || held(10) {
		t.Error("9 is the last")
	}
	Loose(1)
}

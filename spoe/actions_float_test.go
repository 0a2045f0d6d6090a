package spoe_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/spoe"
)

// TestSetFloat: an infinity and a NaN have no decimal form, whichever way they come.
func TestSetFloat(t *testing.T) {
	var acts spoe.Actions
	for _, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		assert.ErrorContains(t, acts.SetFloat(spoe.VarScopeTransaction, "f", f), `variable "f": `)
		assert.ErrorContains(t, acts.SetVar(spoe.VarScopeTransaction, "f", f), "has no decimal form")
		assert.ErrorContains(t, acts.SetVar(spoe.VarScopeTransaction, "f", float32(f)), "has no decimal form")
	}
	assert.Zero(t, acts.Len())
	assert.NoError(t, acts.SetFloat(spoe.VarScopeTransaction, "f", 0.25))
	assert.NoError(t, acts.SetVar(spoe.VarScopeTransaction, "g", float32(0.25)))
	for a := range acts.All() {
		assert.Equal(t, "0.25", a.Value.Str())
	}
}

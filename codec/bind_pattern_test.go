package codec_test

import (
	"fmt"
	"math"
	"net/netip"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
)

// TestVarPattern: a map sets one variable for each key that HAProxy takes, in order and up
// to a bound.
func TestVarPattern(t *testing.T) {
	type claim string
	type out struct {
		Claims map[string]string      `spoe:"claim_*"`
		Scores map[claim]int          `spoe:"score.*,sess,max=2"`
		IPs    map[string]*netip.Addr `spoe:"-"`
		Addrs  map[string]netip.Addr  `spoe:"ip_*,req"`
	}
	names := func(acts []codec.Action) (names []string) {
		for _, a := range acts {
			names = append(names, fmt.Sprintf("%s.%s=%s", a.Scope, a.Name, a.Value))
		}
		return names
	}
	acts, err := encode(t, out{
		Claims: map[string]string{"sub": "jane", "email": "j@example.org", "https://example.org/roles": "x", "": "y"},
		Scores: map[claim]int{"c": 3, "a": 1, "b": 2, "a b": 0},
		Addrs:  map[string]netip.Addr{"none": {}, "one": v4},
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"txn.claim_=y", "txn.claim_email=j@example.org", "txn.claim_sub=jane", "sess.score.a=1", "sess.score.b=2", "req.ip_one=192.0.2.1"}, names(acts))

	acts, err = encode(t, out{})
	require.NoError(t, err)
	assert.Empty(t, acts)

	many := map[string]string{}
	for i := range 100 {
		many[fmt.Sprintf("n%02d", i)] = ""
	}
	acts, err = encode(t, out{Claims: many})
	require.NoError(t, err)
	require.Len(t, acts, 32)
	assert.Equal(t, "claim_n31", string(acts[31].Name))

	assert.Equal(t, []codec.VarInfo{
		{Name: "claim_*", Field: "Claims", Scope: codec.ScopeTransaction, Type: reflect.TypeFor[map[string]string](), Types: []codec.Type{codec.TypeString}, Pattern: true, Max: 32},
		{Name: "score.*", Field: "Scores", Scope: codec.ScopeSession, Type: reflect.TypeFor[map[claim]int](), Types: []codec.Type{codec.TypeInt64}, Pattern: true, Max: 2},
		{Name: "ip_*", Field: "Addrs", Scope: codec.ScopeRequest, Type: reflect.TypeFor[map[string]netip.Addr](), Types: []codec.Type{codec.TypeIPv4, codec.TypeIPv6}, Pattern: true, Max: 32},
	}, encoderFor[out](t).Fields())

	type floats struct {
		F map[string]float64 `spoe:"f_*"`
	}
	_, err = encode(t, floats{map[string]float64{"a": math.NaN()}})
	assert.ErrorContains(t, err, `floats.F of variables txn.f_*: key "a": NaN has no decimal form`)
}

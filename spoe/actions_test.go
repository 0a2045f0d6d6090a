package spoe_test

import (
	"net/netip"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
)

// Each setter writes its own SPOP type.
func TestSetters(t *testing.T) {
	var acts spoe.Actions
	const txn = spoe.VarScopeTransaction
	assert.True(t, acts.Empty())
	require.NoError(t, acts.SetInt(txn, "v", -1))
	assert.False(t, acts.Empty())
	require.NoError(t, acts.SetUint(txn, "v", 1<<63))
	require.NoError(t, acts.SetBool(txn, "v", true))
	require.NoError(t, acts.SetBool(txn, "v", false))
	require.NoError(t, acts.SetString(txn, "v", "s"))
	require.NoError(t, acts.SetBytes(txn, "v", []byte("b")))
	require.NoError(t, acts.SetAddr(txn, "v", netip.MustParseAddr("192.0.2.1")))
	want := []codec.Value{
		codec.Int64(-1), codec.Uint64(1 << 63), codec.Bool(true), codec.Bool(false), codec.String("s"), codec.Binary([]byte("b")),
		codec.Addr(netip.MustParseAddr("192.0.2.1")),
	}
	var got []codec.Value
	for a := range acts.All() {
		got = append(got, a.Value)
	}
	require.Len(t, got, len(want))
	for i := range want {
		assert.True(t, want[i].Equal(got[i]), "%v: %v", want[i], got[i])
	}
	for range acts.All() {
		break // All stops where its caller does
	}
	acts.Reset()
	assert.True(t, acts.Empty())
	assert.Zero(t, acts.Len())
}

// A result that cannot be encoded adds nothing.
func TestSetResultThatFails(t *testing.T) {
	type result struct {
		A int     `spoe:"a"`
		B float64 `spoe:"b"`
	}
	enc, err := codec.EncoderOf(reflect.TypeFor[result]())
	require.NoError(t, err)
	var acts spoe.Actions
	require.NoError(t, acts.SetInt(spoe.VarScopeTransaction, "first", 1))
	inf := 1e308
	assert.Error(t, acts.SetResult(enc, &result{B: inf * 10}))
	assert.Equal(t, 1, acts.Len())
	require.NoError(t, acts.SetResult(enc, &result{}))
	assert.Equal(t, 3, acts.Len())
}

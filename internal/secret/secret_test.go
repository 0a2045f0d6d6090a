package secret_test

import (
	"reflect"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/internal/secret"
)

// note compiles the struct types and notes their fields, as a router does.
func note(t *testing.T, in, out reflect.Type) {
	dec, err := codec.DecoderOf(in)
	require.NoError(t, err)
	enc, err := codec.EncoderOf(out)
	require.NoError(t, err)
	secret.Note(dec.Fields(), enc.Fields())
}

func TestSecretNames(t *testing.T) {
	type nested struct {
		Key string `spoe:"key,secret"`
	}
	type in struct {
		Token  string `spoe:"secrettest.token,secret"`
		Open   string `spoe:"secrettest.open"`
		Nested nested `spoe:"secrettest"`
	}
	type out struct {
		Token string `spoe:"secrettest_token,sess,secret"`
		Open  string `spoe:"secrettest_open,sess"`
	}
	assert.False(t, secret.Arg("secrettest.token"), "no struct is noted yet")
	note(t, reflect.TypeFor[in](), reflect.TypeFor[out]())
	assert.True(t, secret.Arg("secrettest.token"))
	assert.True(t, secret.Arg("secrettest.key"))
	assert.False(t, secret.Arg("secrettest.open"))
	assert.True(t, secret.Var(codec.ScopeSession, "secrettest_token"))
	assert.False(t, secret.Var(codec.ScopeTransaction, "secrettest_token"), "another scope's variable")
	assert.False(t, secret.Var(codec.ScopeSession, "secrettest_open"))
}

func TestSecretNamesConcurrently(t *testing.T) {
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			name := "secretrace" + strconv.Itoa(i)
			typ := reflect.StructOf([]reflect.StructField{{
				Name: "F", Type: reflect.TypeFor[string](), Tag: reflect.StructTag(`spoe:"` + name + `,secret"`),
			}})
			dec, err := codec.DecoderOf(typ)
			assert.NoError(t, err)
			secret.Note(dec.Fields(), nil)
			assert.True(t, secret.Arg(name))
		})
	}
	all.Wait()
	for i := range 16 {
		assert.True(t, secret.Arg("secretrace"+strconv.Itoa(i)))
	}
}

// TestSecretPattern: all variables of a secret map are secret.
func TestSecretPattern(t *testing.T) {
	type out struct {
		Claims map[string]string `spoe:"secret_claim_*,sess,secret"`
	}
	note(t, reflect.TypeFor[struct{}](), reflect.TypeFor[out]())
	assert.True(t, secret.Var(codec.ScopeSession, "secret_claim_sub"))
	assert.False(t, secret.Var(codec.ScopeTransaction, "secret_claim_sub"))
	assert.False(t, secret.Var(codec.ScopeSession, "secret_clai"))
}

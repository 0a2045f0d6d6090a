package codec_test

import (
	"reflect"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
)

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
	assert.False(t, codec.SecretArg("secrettest.token"), "nothing is compiled yet")
	_, err := codec.DecoderOf(reflect.TypeFor[in]())
	require.NoError(t, err)
	_, err = codec.EncoderOf(reflect.TypeFor[out]())
	require.NoError(t, err)
	assert.True(t, codec.SecretArg("secrettest.token"))
	assert.True(t, codec.SecretArg("secrettest.key"))
	assert.False(t, codec.SecretArg("secrettest.open"))
	assert.True(t, codec.SecretVar(codec.ScopeSession, "secrettest_token"))
	assert.False(t, codec.SecretVar(codec.ScopeTransaction, "secrettest_token"), "another scope's variable")
	assert.False(t, codec.SecretVar(codec.ScopeSession, "secrettest_open"))
}

func TestSecretNamesConcurrently(t *testing.T) {
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			name := "secretrace" + strconv.Itoa(i)
			typ := reflect.StructOf([]reflect.StructField{{
				Name: "F", Type: reflect.TypeFor[string](), Tag: reflect.StructTag(`spoe:"` + name + `,secret"`),
			}})
			_, err := codec.DecoderOf(typ)
			assert.NoError(t, err)
			assert.True(t, codec.SecretArg(name))
		})
	}
	all.Wait()
	for i := range 16 {
		assert.True(t, codec.SecretArg("secretrace"+strconv.Itoa(i)))
	}
}

// TestSecretPattern: all variables of a secret map are secret.
func TestSecretPattern(t *testing.T) {
	type out struct {
		Claims map[string]string `spoe:"secret_claim_*,sess,secret"`
	}
	encoderFor[out](t)
	assert.True(t, codec.SecretVar(codec.ScopeSession, "secret_claim_sub"))
	assert.False(t, codec.SecretVar(codec.ScopeTransaction, "secret_claim_sub"))
	assert.False(t, codec.SecretVar(codec.ScopeSession, "secret_clai"))
}

package router_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/internal/secret"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
)

// TestSecretFields: registration notes the fields that a tag marks as secret, so that logs,
// spans and the live page hide their values.
func TestSecretFields(t *testing.T) {
	type in struct {
		Open   string `spoe:"routertest_open"`
		Secret string `spoe:"routertest_password,secret"`
	}
	type out struct {
		Open   string `spoe:"routertest_user"`
		Secret string `spoe:"routertest_token,secret"`
	}
	router.New().Handle("m", func(context.Context, in) (out, error) { return out{}, nil })
	assert.True(t, secret.Arg("routertest_password"))
	assert.False(t, secret.Arg("routertest_open"))
	assert.True(t, secret.Var(spoe.VarScopeTransaction, "routertest_token"))
	assert.False(t, secret.Var(spoe.VarScopeTransaction, "routertest_user"))
}

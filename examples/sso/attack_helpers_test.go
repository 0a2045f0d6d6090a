package main_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func port(site string) string { return site[strings.LastIndexByte(site, ':')+1:] }

// swapPayload returns a JWT with other claims and the signature that it had.
func swapPayload(t *testing.T, token string, claims map[string]any) string {
	t.Helper()
	b, err := json.Marshal(claims)
	require.NoError(t, err)
	parts := strings.Split(token, ".")
	parts[1] = base64.RawURLEncoding.EncodeToString(b)
	return strings.Join(parts, ".")
}

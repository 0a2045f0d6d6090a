package spoetest_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

func TestHeaders(t *testing.T) {
	h := http.Header{"Host": {"example.org"}, "Accept": {"a", "b"}}
	assert.Equal(t, "accept: a\r\naccept: b\r\nhost: example.org\r\n\r\n", string(spoetest.HeadersText(h).Bytes()))
	got, err := codec.DecodeHeadersText(spoetest.HeadersText(h).Bytes())
	require.NoError(t, err)
	assert.Equal(t, h, got)
	assert.Equal(t, codec.TypeString, spoetest.HeadersText(h).Type())

	assert.Equal(t, codec.TypeBinary, spoetest.HeadersBin(h).Type())
	assert.Contains(t, string(spoetest.HeadersBin(h).Bytes()), "\x06accept\x01a")
	payload, err := spoetest.Payload(spoetest.Msg("m", spoetest.Arg("hdrs", h)))
	require.NoError(t, err)
	same, err := spoetest.Payload(spoetest.Msg("m", spoetest.Arg("hdrs", spoetest.HeadersBin(h))))
	require.NoError(t, err)
	assert.Equal(t, same, payload)
	got, err = codec.DecodeHeadersBin(spoetest.HeadersBin(h).Bytes())
	require.NoError(t, err)
	assert.Equal(t, h, got)
}

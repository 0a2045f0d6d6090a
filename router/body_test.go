package router_test

import (
	"context"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
)

func TestBodyState(t *testing.T) {
	for _, tt := range []struct {
		name              string
		bytes             string
		length            *int64
		ended             *bool
		request, response string
	}{
		{"nothing known", "abc", nil, nil, "unknown", "unknown"},
		{"all of the length", "abc", new(int64(3)), nil, "whole", "whole"},
		{"all of the length, before the end", "abc", new(int64(3)), new(false), "whole", "whole"},
		{"less than the length", "abc", new(int64(4)), new(false), "cut", "cut"},
		{"less than the length at the end", "", new(int64(4)), new(true), "cut", "whole"}, // the response to a HEAD
		{"no length, ended", "abc", nil, new(true), "whole", "whole"},
		{"no length, not ended", "abc", nil, new(false), "cut", "unknown"},
		{"empty", "", new(int64(0)), new(true), "whole", "whole"},
	} {
		request := router.RequestBody{Bytes: router.BodyBytes(tt.bytes), Length: tt.length, Ended: tt.ended}
		response := router.ResponseBody{Bytes: router.BodyBytes(tt.bytes), Length: tt.length, Ended: tt.ended}
		assert.Equal(t, tt.request, request.State().String(), tt.name)
		assert.Equal(t, tt.response, response.State().String(), tt.name)
	}
}

// TestBodyIsNotCopied: a body lies where the message has it.
func TestBodyIsNotCopied(t *testing.T) {
	type in struct{ Body router.RequestBody }
	raw := codec.AppendArg(nil, "body", codec.Binary([]byte("abc")))
	raw = codec.AppendArg(raw, "body_ended", codec.Bool(true))
	msg := rawMessage("m", codec.NewArgs(raw, 2))
	called := false
	r := router.New()
	r.Observe("m", func(_ context.Context, in in) error {
		called = true
		assert.Equal(t, "abc", string(in.Body.Bytes))
		assert.Equal(t, router.BodyWhole, in.Body.State())
		offset := uintptr(unsafe.Pointer(unsafe.SliceData(in.Body.Bytes))) - uintptr(unsafe.Pointer(unsafe.SliceData(raw)))
		assert.Less(t, offset, uintptr(len(raw)))
		return nil
	})
	require.NoError(t, r.ServeSPOE(t.Context(), msg, new(spoe.Actions)))
	assert.True(t, called)
}

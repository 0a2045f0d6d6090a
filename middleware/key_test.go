package middleware_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/spoe"
)

// TestKeyBufferIsBounded: a long key leaves no buffer over 4 KiB for later messages.
func TestKeyBufferIsBounded(t *testing.T) {
	long := make([]byte, 4500)
	for range 100 {
		h := middleware.Cache(time.Hour, middleware.KeyFunc(func(b []byte, msg *spoe.Message) []byte {
			assert.LessOrEqual(t, cap(b), 4<<10)
			if msg.Name == "long" {
				return append(b, long...)
			}
			return b
		}))(setInt("ok", 1))
		for _, name := range []string{"long", "short"} {
			require.NoError(t, h.ServeSPOE(t.Context(), newMessage(t, name), new(spoe.Actions)))
		}
	}
}

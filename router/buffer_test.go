package router_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
)

// TestBufferAndFrame: an agent says at its start that it agrees to smaller frames than a
// route asks for.
func TestBufferAndFrame(t *testing.T) {
	for _, tt := range []struct {
		name                string
		buffer, frame, want int
	}{
		{"the default frame", 65536, 0, 0},
		{"a byte less", 65536, 65531, 65532},
		{"no buffer", 0, 256, 0},
		{"a small buffer", 1, 256, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := router.New()
			r.Handle("small", func(context.Context, struct{}) (struct{}, error) { return struct{}{}, nil })
			route := r.Handle("large", func(context.Context, struct{}) (struct{}, error) { return struct{}{}, nil })
			if tt.buffer > 0 {
				route.Buffer(tt.buffer)
			}
			var log bytes.Buffer
			a := &spoe.Agent{Handler: r, MaxFrameSize: tt.frame, Logger: slog.New(slog.NewTextHandler(&log, nil))}
			ctx, cancel := context.WithCancel(t.Context())
			cancel() // the agent ends as soon as it starts
			assert.NoError(t, a.ListenAndRun(ctx, "127.0.0.1:0"))
			if tt.want == 0 {
				assert.NotContains(t, log.String(), "larger buffer")
				return
			}
			assert.Contains(t, log.String(), `message=large`)
			assert.Contains(t, log.String(), fmt.Sprintf(" needed=%d", tt.want))
		})
	}
}

func TestLargestBuffer(t *testing.T) {
	r := router.New()
	none := func(context.Context, struct{}) error { return nil }
	r.Observe("none", none)
	bytes, message := r.LargestBuffer()
	assert.Zero(t, bytes)
	assert.Empty(t, message)
	r.Observe("small", none).Buffer(1)
	r.Observe("large", none).Buffer(2)
	bytes, message = r.LargestBuffer()
	assert.Equal(t, 2, bytes)
	assert.Equal(t, "large", message)
}

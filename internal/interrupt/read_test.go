package interrupt_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/internal/interrupt"
)

func TestRead(t *testing.T) {
	own := errors.New("own")
	assert.Same(t, own, interrupt.Read(t.Context(), func() error { return own }))
	assert.NoError(t, interrupt.Read(t.Context(), func() error { return nil }))

	ctx, cancel := context.WithCancel(t.Context())
	reading, end := make(chan struct{}), make(chan struct{})
	go func() {
		<-reading
		cancel()
	}()
	err := interrupt.Read(ctx, func() error {
		close(reading)
		<-end
		return nil
	})
	assert.ErrorIs(t, err, interrupt.Err)
	close(end)
}

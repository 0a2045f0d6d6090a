package sleep_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/internal/sleep"
)

func TestFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		assert.NoError(t, sleep.For(t.Context(), time.Hour))
		assert.Equal(t, time.Hour, time.Since(begin))

		why := errors.New("why")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Minute, func() { cancel(why) })
		assert.Equal(t, why, sleep.For(ctx, time.Hour))
		assert.Equal(t, time.Hour+time.Minute, time.Since(begin))
		assert.NoError(t, sleep.For(ctx, 0), "there is nothing to cut short")
	})
}

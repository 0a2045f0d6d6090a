package rules

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestCloseWaits: a set is closed when its last transaction is, so that what counts open sets
// knows what is in memory. The program's end waits for none.
func TestCloseWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set, err := Compile(Source{Directives: "SecAction \"id:1,phase:1,pass,nolog\"\n"})
		require.NoError(t, err)
		closed := make(chan error, 1)
		isClosed := func() bool {
			synctest.Wait()
			return len(closed) > 0
		}
		require.NoError(t, set.Begin("before").Close()) // an earlier end counts for nothing
		one, other := set.Begin("one"), set.Begin("other")
		go func() { closed <- set.Close(nil) }() // ends with the transactions
		assert.False(t, isClosed())
		assert.NoError(t, one.Close())
		assert.False(t, isClosed())
		assert.NoError(t, other.Close())
		assert.True(t, isClosed())

		stop := make(chan struct{})
		last := set.Begin("last")
		<-closed
		go func() { closed <- set.Close(stop) }() // ends with stop
		assert.False(t, isClosed())
		close(stop)
		assert.True(t, isClosed())
		assert.NoError(t, last.Close())
	})
}

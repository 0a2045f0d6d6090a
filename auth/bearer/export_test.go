package bearer

import "testing"

// SetSize makes the caches of new verifiers smaller for a test.
func SetSize(t testing.TB, n int) {
	was := size
	size = n
	t.Cleanup(func() { size = was })
}

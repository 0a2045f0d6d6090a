//go:build unix

package revoked_test

import (
	"log/slog"
	"os/exec"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/auth/revoked"
	"github.com/spoke-go/spoke/internal/freeaddr"
	"github.com/spoke-go/spoke/internal/recipes"
	"github.com/spoke-go/spoke/service"
)

// patience bounds every wait; it is reached only where something is wrong.
const patience = 30 * time.Second

func startRedis(t *testing.T, port string) *recipes.Process {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	require.NoError(t, err, "make redis installs it")
	return recipes.StartProgram(t, path, regexp.MustCompile(`(Ready to accept connections)`),
		"--port", port, "--bind", "127.0.0.1", "--dir", t.TempDir(), "--save", "", "--appendonly", "no")
}

// TestList: each list has the names of all, also those from before its start; without Redis
// it is not fresh; and it forgets names when their time is over.
func TestList(t *testing.T) {
	port := freeaddr.Port(t)
	server := startRedis(t, port)
	c := revoked.Defaults()
	c.URL, c.Stale = service.NewSecret("redis://127.0.0.1:"+port+"/0"), 2*time.Second
	require.NoError(t, c.Validate())
	var off atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(off.Load())) }
	var background sync.WaitGroup
	t.Cleanup(background.Wait)
	start := func() *revoked.List {
		l, err := revoked.New(c, func() time.Duration { return time.Hour }, slog.New(slog.DiscardHandler), now)
		require.NoError(t, err)
		assert.False(t, l.Fresh(), "Redis has not answered yet")
		background.Go(func() { _ = l.Run(t.Context()) })
		return l
	}
	has := func(l *revoked.List, name string) func() bool {
		return func() bool { _, ok := l.At(name); return ok }
	}
	one := start()
	require.Eventually(t, one.Fresh, patience, time.Millisecond)
	require.NoError(t, one.Add(t.Context(), "a"))
	assert.True(t, has(one, "a")())
	assert.False(t, has(one, "b")())
	two := start()
	assert.Eventually(t, has(two, "a"), patience, time.Millisecond)
	require.Eventually(t, two.Fresh, patience, time.Millisecond)
	require.NoError(t, two.Add(t.Context(), "b"))
	assert.Eventually(t, has(one, "b"), patience, time.Millisecond)

	server.Kill()
	assert.Eventually(t, func() bool { return !one.Fresh() }, patience, time.Millisecond)
	assert.Error(t, one.Add(t.Context(), "c"))
	assert.True(t, has(one, "c")(), "this one has it")
	startRedis(t, port)
	assert.Eventually(t, one.Fresh, patience, time.Millisecond)
	off.Store(int64(2 * time.Hour))
	assert.Eventually(t, func() bool { return !has(one, "a")() && !has(one, "c")() }, patience, time.Millisecond)
}

// TestNone: without an address there is no list, and nothing is on it.
func TestNone(t *testing.T) {
	l, err := revoked.New(revoked.Defaults(), nil, nil, nil)
	require.NoError(t, err)
	assert.Nil(t, l)
	assert.True(t, l.Fresh())
	assert.NoError(t, l.Add(t.Context(), "a"))
	_, ok := l.At("a")
	assert.False(t, ok)
	assert.NoError(t, l.Run(t.Context()))
	assert.Error(t, revoked.Config{URL: service.NewSecret("localhost:6379")}.Validate())
}

package feed_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/examples/ip-reputation/internal/feed"
)

func TestStatus(t *testing.T) {
	dir := t.TempDir()
	good, late := filepath.Join(dir, "good.txt"), filepath.Join(dir, "late.txt")
	write(t, good, "192.0.2.1", "192.0.2.2")
	optional := source("late", 20, late)
	optional.Optional = true
	var log journal
	s := &feed.Set{Sources: []feed.Source{source("good", 0, good), optional}, Logger: log.logger(), Quiet: time.Nanosecond}
	assert.Nil(t, s.Status())
	begun := time.Now()
	require.NoError(t, s.Load(t.Context()))

	status := s.Status()
	require.Len(t, status, 2)
	assert.WithinRange(t, status[0].LoadedAt, begun, time.Now())
	status[0].LoadedAt = time.Time{}
	assert.Equal(t, []feed.Status{
		{List: s.Sources[0].List, Path: good, Prefixes: 2},
		{List: optional.List, Path: late, Failing: true, Failures: 1},
	}, status)
}

package cowmap_test

import (
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/internal/cowmap"
)

func TestMap(t *testing.T) {
	var m cowmap.Map[string, *int]
	made := 0
	newInt := func(string) *int { made++; return new(int) }
	assert.Empty(t, m.All())
	a := m.Add("a", 2, "other", newInt)
	before := m.All()
	b := m.Add("b", 2, "other", newInt)
	assert.Len(t, before, 1, "a map that was read is not changed")
	assert.Same(t, a, m.Add("a", 2, "other", newInt))
	c := m.Add("c", 2, "other", newInt)
	assert.Same(t, c, m.Add("d", 2, "other", newInt), "full: other stands for c and d")
	assert.Same(t, b, m.All()["b"])
	assert.Equal(t, 3, made)
	assert.Len(t, m.All(), 3)
	m.Clear()
	assert.Empty(t, m.All())
	assert.NotSame(t, a, m.Add("a", 2, "other", newInt))
}

func TestMapConcurrently(t *testing.T) {
	var m cowmap.Map[string, *int]
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 100 {
				key := strconv.Itoa(i)
				v := m.Add(key, 1000, "", func(string) *int { return new(int) })
				assert.Same(t, v, m.All()[key])
			}
		})
	}
	wg.Wait()
	assert.Len(t, m.All(), 100)
}

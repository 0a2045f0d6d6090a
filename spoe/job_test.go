package spoe

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/codec"
)

// A job that is used again keeps no memory of a long payload for a short one.
func TestCopyPayload(t *testing.T) {
	for _, tt := range []struct {
		had, next int
		kept      bool
	}{
		{smallPayload, 1, true}, // it is small anyway
		{smallPayload + 1, 1, false},
		{10_000, 5_000, true},
		{10_000, 4_999, false},
		{10_000, 10_000, true},
	} {
		j := &job{payload: make([]byte, tt.had)}
		had := cap(j.payload)
		b := make([]byte, tt.next)
		b[0] = 7
		j.copyPayload(b)
		assert.Equal(t, b, j.payload)
		assert.Equal(t, tt.kept, cap(j.payload) == had, "%d bytes behind %d", tt.next, tt.had)
		b[0] = 8
		assert.EqualValues(t, 7, j.payload[0], "a copy")
	}
}

// A job that is used again has nothing of the NOTIFY before, and long buffers are not kept.
func TestPutJob(t *testing.T) {
	c, _ := insideConn(t, &Agent{})
	fill := func(j *job) {
		j.c, j.worker, j.held, j.name = c, new(worker), true, "m"
		j.handle, j.ctx = j.worker.ctxs.Begin(&c.ctx, 1)
		j.within = j.ctx
		j.msg.Name = "m"
		j.msgs = append(j.msgs, codec.Message{Name: []byte("m")})
		j.payload = append(j.payload, 1, 2, 3)
		j.committed = append(j.committed, 1)
		j.acts.buf, j.acts.n = append(j.acts.buf, 1), 1
		j.hooks = append(j.hooks, func(error, *Actions) {})
		j.args = newArgs(codec.NewArgs([]byte{1, 'a', 0}, 1))
	}
	w := new(worker)
	j := new(job)
	fill(j)
	w.putJob(j)
	assert.Same(t, j, w.spare)
	assert.Equal(t, 1, w.spares)
	assert.Nil(t, j.c)
	assert.Nil(t, j.worker)
	assert.Nil(t, j.handle)
	assert.Nil(t, j.ctx)
	assert.Nil(t, j.within)
	assert.False(t, j.held)
	assert.Empty(t, j.name)
	assert.Zero(t, j.msg)
	assert.Zero(t, j.args)
	assert.Empty(t, j.msgs)
	assert.Nil(t, j.msgs[:1][0].Name)
	assert.Empty(t, j.committed)
	assert.Empty(t, j.hooks)
	assert.Nil(t, j.hooks[:1][0])
	assert.Empty(t, j.acts.buf)
	assert.Zero(t, j.acts.n)

	second := new(job)
	fill(second)
	w.putJob(second)
	assert.Same(t, second, w.spare)
	assert.Same(t, j, second.queued)
	w.giveJobs()
	assert.Nil(t, w.spare)
	assert.Zero(t, w.spares)

	for name, set := range map[string]func(*job, []byte){
		"payload":   func(j *job, b []byte) { j.payload = b },
		"actions":   func(j *job, b []byte) { j.acts.buf = b },
		"committed": func(j *job, b []byte) { j.committed = b },
	} {
		for size, kept := range map[int]bool{maxPooled: true, maxPooled + 1: false} {
			w, j := new(worker), new(job)
			fill(j)
			set(j, make([]byte, size))
			w.putJob(j)
			assert.Equal(t, kept, w.spare != nil, "%s of %d bytes", name, size)
		}
	}
	for range jobChain - 1 {
		j := new(job)
		fill(j)
		w.putJob(j)
	}
	assert.NotNil(t, w.spare)
	w.putJob(new(job))
	assert.Nil(t, w.spare, "a full chain goes to the pool")
}

// A reader takes jobs off its chain, and gives the rest of it to the pool.
func TestGetJob(t *testing.T) {
	c, _ := insideConn(t, &Agent{NotifyTimeout: time.Second})
	first, second := new(job), new(job)
	c.spare, first.queued = first, second
	received := time.Now().Add(time.Minute)
	j := c.getJob(3, 4, received)
	assert.Same(t, first, j)
	assert.Nil(t, j.queued)
	assert.Same(t, second, c.spare)
	assert.Same(t, c, j.c)
	assert.EqualValues(t, 3, j.streamID)
	assert.EqualValues(t, 4, j.frameID)
	assert.Equal(t, received, j.received)
	assert.Equal(t, since(received)+int64(time.Second), j.deadline)
	c.giveJobs()
	assert.Nil(t, c.spare)
	assert.NotNil(t, c.getJob(1, 1, received), "of the pool, or a new one")
}

// The first job in is the first out.
func TestJobQueue(t *testing.T) {
	var q jobQueue
	var want []*job
	r := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		if len(want) > 0 && r.IntN(2) == 0 {
			j := q.pop()
			assert.Same(t, want[0], j)
			assert.Nil(t, j.queued)
			want = want[1:]
		} else {
			j := new(job)
			q.push(j)
			want = append(want, j)
		}
		assert.Equal(t, len(want), q.n)
		assert.Equal(t, len(want) == 0, q.first == nil)
		assert.Equal(t, len(want) == 0, q.last == nil)
	}
}

// A set has the jobs that were added and not removed.
func TestJobSet(t *testing.T) {
	var s jobSet
	var want []*job
	r := rand.New(rand.NewPCG(3, 4))
	for range 1000 {
		if i := r.IntN(8); i < len(want) {
			j := want[i]
			s.remove(j)
			assert.Nil(t, j.next)
			assert.Nil(t, j.prev)
			want = slices.Delete(want, i, i+1)
		} else {
			j := new(job)
			s.add(j)
			want = slices.Insert(want, 0, j)
		}
		var got []*job
		for j := s.first; j != nil; j = j.next {
			got = append(got, j)
		}
		assert.True(t, slices.Equal(want, got))
		assert.Equal(t, len(want), s.n)
	}
}

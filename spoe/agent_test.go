package spoe

import (
	"log/slog"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The defaults are those of the comments of the Agent's fields.
func TestLimits(t *testing.T) {
	defaults := limits{
		maxFrameSize: 1 << 20, maxPayload: 4 << 20,
		maxInFlight: 256, maxConcurrent: 16384, maxConnections: 16384, maxLate: 4096,
		hello: 10 * time.Second, read: 10 * time.Second, write: 10 * time.Second,
		idle: 10 * time.Minute, notify: 30 * time.Second, shutdown: 30 * time.Second,
		shutdownChecks: 3, maxMessages: 1024, maxBuffered: 256 << 20,
	}
	l, err := (&Agent{Handler: insideNothing}).limits()
	require.NoError(t, err)
	assert.Equal(t, defaults, l)
	_, err = New(nil).limits()
	assert.Error(t, err, "no handler")
	l, err = New(func(*MessageIterator) ([]Action, error) { return nil, nil }).limits()
	require.NoError(t, err)
	assert.Equal(t, defaults, l)

	fields := map[string]time.Duration{ // and their defaults, in numbers
		"MaxFrameSize": 1 << 20, "MaxPayload": 4 << 20, "MaxInFlight": 256, "MaxConcurrent": 16384, "MaxConnections": 16384,
		"MaxLateHandlers": 4096, "MaxMessages": 1024, "MaxBuffered": 256 << 20, "ShutdownChecks": 3,
		"HelloTimeout": 10 * time.Second, "ReadTimeout": 10 * time.Second, "WriteTimeout": 10 * time.Second, "IdleTimeout": 10 * time.Minute,
		"NotifyTimeout": 30 * time.Second, "ShutdownTimeout": 30 * time.Second, "MaxConnectionAge": 0,
	}
	for name := range fields {
		a := &Agent{Handler: insideNothing}
		v := reflect.ValueOf(a).Elem().FieldByName(name)
		v.SetInt(-1)
		_, err := a.limits()
		assert.ErrorContains(t, err, "spoe: Agent."+name+" is -1")
		v.SetInt(2 << 20)
		_, err = a.limits()
		assert.NoError(t, err)
	}
	_, err = (&Agent{Handler: insideNothing, MaxPayload: -1, MaxInFlight: -2, HelloTimeout: -3}).limits()
	assert.ErrorContains(t, err, "Agent.MaxPayload is -1", "the first mistake is named")
	_, err = (&Agent{Handler: insideNothing, HelloTimeout: -3, ReadTimeout: -4, MaxFrameSize: 1, MaxBuffered: 1}).limits()
	assert.ErrorContains(t, err, "Agent.HelloTimeout is -3ns")
	_, err = (&Agent{Handler: insideNothing, MaxFrameSize: 1, MaxBuffered: 1}).limits()
	assert.ErrorContains(t, err, "Agent.MaxFrameSize is 1")
	l, err = (&Agent{Handler: insideNothing, MaxFrameSize: 256, MaxBuffered: 1 << 20, IdleTimeout: math.MaxInt64}).limits()
	require.NoError(t, err)
	assert.Equal(t, 256, l.maxFrameSize)
	assert.Equal(t, 1<<20, l.maxBuffered)
	assert.Equal(t, maxSpan, l.idle, "which can be added to a time")
	_, err = (&Agent{Handler: insideNothing, MaxBuffered: 1<<20 - 1}).limits()
	assert.EqualError(t, err, "spoe: Agent.MaxBuffered is 1048575; the least is 1048576 bytes")
}

// An agent without a Logger logs to slog.Default().
func TestDefaultLogger(t *testing.T) {
	own := slog.New(slog.DiscardHandler)
	assert.Same(t, own, (&Agent{Logger: own}).log())
	assert.Same(t, slog.Default(), new(Agent).log())
}

// The bounds of the queues of log lines and calls are those of the Agent's comments.
func TestQueueBounds(t *testing.T) {
	a := &Agent{Handler: insideNothing, MaxConcurrent: 3, MaxConnections: 2, MaxBuffered: 2 << 20}
	require.NoError(t, a.init())
	s := &a.shared
	assert.Equal(t, []int{256, 16384, 4096}, []int{s.logs.Max, s.states.Max, s.reports.Max})
	assert.Equal(t, []int{10, 100}, []int{s.connLog.Max, s.failureLog.Max})
	assert.True(t, s.notifySlots.TryAcquire(3))
	assert.False(t, s.notifySlots.TryAcquire(1))
	assert.True(t, s.connSlots.TryAcquire(2))
	assert.False(t, s.connSlots.TryAcquire(1))
	assert.Equal(t, 2<<20, s.bytes.free)
	assert.NoError(t, s.ctx.Err())
	assert.NoError(t, s.abandoned.Err())
}

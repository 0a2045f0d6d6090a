package service

import (
	"context"
	"io"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spoke-go/spoke/service/internal/conf"
)

const (
	// retireAfter is the time from a reload until the replaced values are closed.
	retireAfter = 30 * time.Second
	// maxRetired is the maximum number of replaced generations with values that are not
	// closed yet. A further reload waits, so that reloads in quick succession do not
	// fill the memory.
	maxRetired = 4
)

// settings has all settings of a program.
type settings[C any] struct {
	Agent   C        `conf:",inline"`
	Service Settings `conf:",inline"`
}

// generation is a configuration with all values made from it. It does not change once it
// can be loaded.
type generation[C any] struct {
	loaded   *conf.Loaded
	config   *C
	settings *Settings
	values   []any
}

func newGeneration[C any](loaded *conf.Loaded) *generation[C] {
	all := loaded.Value().(*settings[C])
	return &generation[C]{loaded: loaded, config: &all.Agent, settings: &all.Service}
}

// state has the current generation, and makes the next one. One goroutine calls its
// methods, except load, which any goroutine may call.
type state[C any] struct {
	ctx     context.Context // of Agent.Setup, for add
	current atomic.Pointer[generation[C]]
	builds  []func(context.Context, *generation[C]) (any, error)
	retired []*retired // oldest first
}

// retired are the closers of a replaced generation.
type retired struct {
	closers []io.Closer
	timer   *time.Timer
	closing sync.Once
	closed  chan struct{} // closed after the closers
}

func retire(closers []io.Closer) *retired {
	r := &retired{closers: closers, closed: make(chan struct{})}
	r.timer = time.AfterFunc(retireAfter, r.close)
	return r
}

// close returns when all are closed, by this call or another.
func (r *retired) close() {
	r.closing.Do(func() {
		closeAll(r.closers)
		close(r.closed)
	})
}

func (r *retired) isClosed() bool {
	select {
	case <-r.closed:
		return true
	default:
		return false
	}
}

func (s *state[C]) load() *generation[C] { return s.current.Load() }

// add builds a value of the current generation, and of each later one.
func (s *state[C]) add(build func(context.Context, *generation[C]) (any, error)) (index int, err error) {
	g := *s.load()
	v, err := build(s.ctx, &g)
	if err != nil {
		return 0, err
	}
	g.values = append(g.values[:len(g.values):len(g.values)], v)
	s.builds = append(s.builds, build)
	s.current.Store(&g)
	return len(g.values) - 1, nil
}

// swap builds all values for a configuration and makes them current, all or none.
func (s *state[C]) swap(ctx context.Context, loaded *conf.Loaded) error {
	before, g := s.load(), newGeneration[C](loaded)
	for _, build := range s.builds {
		v, err := build(ctx, g)
		if err != nil {
			closeAll(unshared(g.values, before.values))
			return err
		}
		g.values = append(g.values, v)
	}
	s.current.Store(g)
	if closers := unshared(before.values, g.values); len(closers) > 0 {
		s.retired = append(s.retired, retire(closers))
	}
	return nil
}

// full returns nil if there may be one more replaced generation, otherwise a channel that is
// closed together with the oldest one.
func (s *state[C]) full() <-chan struct{} {
	s.retired = slices.DeleteFunc(s.retired, (*retired).isClosed)
	if len(s.retired) < maxRetired {
		return nil
	}
	return s.retired[0].closed
}

// close closes the values of all generations.
func (s *state[C]) close() {
	for _, r := range s.retired {
		r.timer.Stop()
		r.close()
	}
	closeAll(unshared(s.load().values, nil))
}

// unshared returns the closers among values that are not among others: a build may return
// the value that it returned before. It leaves out closers that cannot be compared, such as
// a struct with a slice.
func unshared(values, others []any) (closers []io.Closer) {
	kept := make(map[io.Closer]bool)
	for _, v := range others {
		if c, ok := v.(io.Closer); ok && reflect.ValueOf(c).Comparable() {
			kept[c] = true
		}
	}
	for _, v := range values {
		if c, ok := v.(io.Closer); ok && reflect.ValueOf(c).Comparable() && !kept[c] {
			closers = append(closers, c)
		}
	}
	return closers
}

func closeAll(closers []io.Closer) {
	for _, c := range closers {
		c.Close()
	}
}

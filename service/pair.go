package service

import (
	"context"

	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/pair"
)

// Pair returns a store that keeps values from one message to a later one, as [pair.New]
// does, with the metrics of [middleware.PairMetrics]. When the program ends, it waits for
// the values as for Drain, and closes the store after the last request.
func (s *Setup[C]) Pair[T any](name string, cfg pair.Config[T]) (*pair.Store[T], error) {
	store := pair.New(cfg)
	s.Drain(store.Drain)
	s.Go(func(ctx context.Context) error {
		<-ctx.Done()
		store.Close()
		return nil
	})
	_, err := middleware.PairMetrics(name, store.Stats, s.Metrics)
	return store, err
}

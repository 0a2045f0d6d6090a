package codec

import (
	"reflect"
	"sync"
)

// plans keeps the compiled plan of each struct type.
type plans[T any] struct{ byType sync.Map } // reflect.Type of a struct -> *T

// of returns the plan for t, a struct or a pointer to one, and compiles it the first time.
func (p *plans[T]) of(t reflect.Type, compile func(reflect.Type) (*T, error)) (*T, error) {
	s, err := structOf(t)
	if err != nil {
		return nil, err
	}
	if plan, ok := p.byType.Load(s); ok {
		return plan.(*T), nil
	}
	plan, err := compile(s)
	if err != nil {
		return nil, err
	}
	kept, _ := p.byType.LoadOrStore(s, plan)
	return kept.(*T), nil
}

package router

import (
	"reflect"
	"sync"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
)

// input decodes a message's arguments into an In. It decodes a struct in a pooled place
// and passes it by value, so that binding allocates only for its strings. It allocates
// the struct of a pointer, because the handler may keep it.
type input[In any] struct {
	dec     *codec.Decoder
	note    func(field int, got codec.Type) // of mistyped
	pointer reflect.Type                    // In's struct if In is a pointer, else nil
	places  sync.Pool                       // of *In
}

func (i *input[In]) init(call string, note func(field int, got codec.Type)) {
	t := reflect.TypeFor[In]()
	st, dec, wrong := decoderOf(t)
	if wrong != "" {
		refuse(call, "%s", wrong)
	}
	i.dec, i.note = dec, note
	if t != st {
		i.pointer = st
	}
	i.places.New = func() any { return new(In) }
}

func (i *input[In]) bind(msg *spoe.Message) (in In, err error) {
	if i.pointer != nil {
		p := reflect.New(i.pointer).Interface()
		if err := i.dec.DecodeNoting(msg.Name, msg.Args.Raw(), p, i.note); err != nil {
			return in, err
		}
		return p.(In), nil
	}
	p := i.places.Get().(*In)
	err = i.dec.DecodeNoting(msg.Name, msg.Args.Raw(), p, i.note)
	in = *p
	var zero In
	*p = zero // so that the pool keeps no strings alive
	i.places.Put(p)
	return in, err
}

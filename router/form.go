package router

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
)

// forms is what Handle takes, for those who have passed something else.
const forms = `; pass one of
	spoe.Handler
	func(context.Context, *spoe.Message, *spoe.Actions) error
	func(context.Context, In) (Out, error)
	func(context.Context, In) error
	func(context.Context, In, *spoe.Actions) error
with In and Out a struct or a pointer to one`

var (
	contextType = reflect.TypeFor[context.Context]()
	messageType = reflect.TypeFor[spoe.Message]()
	actionsType = reflect.TypeFor[spoe.Actions]()
	errorType   = reflect.TypeFor[error]()
)

// checkForm tells what is wrong with a function of that type, or nothing.
func checkForm(t reflect.Type) (wrong string) {
	in, out := t.NumIn(), t.NumOut()
	switch {
	case t.IsVariadic():
		return "its last argument is variadic"
	case in < 2:
		return fmt.Sprintf("it takes %s, not a context.Context and a struct", count(in, "argument"))
	case in > 3:
		return fmt.Sprintf("it takes %d arguments, 3 are the most", in)
	case t.In(0) != contextType:
		return fmt.Sprintf("its first argument is a %v, not a context.Context", t.In(0))
	case in == 3 && t.In(2) != reflect.PointerTo(actionsType):
		return fmt.Sprintf("its third argument is a %v, not a *spoe.Actions", t.In(2))
	case out == 0:
		return "it returns nothing, not even an error"
	case out > 2:
		return fmt.Sprintf("it returns %d values, 2 are the most", out)
	case t.Out(out-1) != errorType:
		return fmt.Sprintf("its last result is a %v, not an error", t.Out(out-1))
	case in == 3 && out == 2:
		return "it both takes a *spoe.Actions and returns a result: keep one of them"
	}
	return ""
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// decoderOf returns the decoder of t, an In, or what is wrong with it.
func decoderOf(t reflect.Type) (st reflect.Type, dec *codec.Decoder, wrong string) {
	st, wrong = structOf("input", t)
	if wrong != "" {
		return nil, nil, wrong
	}
	dec, err := codec.DecoderOf(st)
	if err != nil {
		return nil, nil, "input: " + unprefixed(err)
	}
	if st.NumField() > 0 && len(dec.Fields()) == 0 {
		return nil, nil, fmt.Sprintf("input: no field of %v has a tag, so no argument would ever reach it: write one behind each field that takes an argument, such as `spoe:\"ip\"`, or use struct{}", st)
	}
	return st, dec, ""
}

// encoderOf returns the encoder of t, an Out, or what is wrong with it.
func encoderOf(t reflect.Type) (st reflect.Type, enc *codec.Encoder, wrong string) {
	st, wrong = structOf("result", t)
	if wrong != "" {
		return nil, nil, wrong
	}
	enc, err := codec.EncoderOf(st)
	if err != nil {
		return nil, nil, "result: " + unprefixed(err)
	}
	if st.NumField() > 0 && len(enc.Fields()) == 0 {
		return nil, nil, fmt.Sprintf("result: no field of %v has a tag, so no variable would ever be set: write one behind each field that is a variable, such as `spoe:\"score,sess\"`, or return an error alone", st)
	}
	return st, enc, ""
}

// structOf returns the struct that t is or points to, or what is wrong with t.
func structOf(role string, t reflect.Type) (st reflect.Type, wrong string) {
	st = t
	if t.Kind() == reflect.Pointer {
		st = t.Elem()
	}
	switch {
	case st == messageType, st == actionsType:
		return nil, fmt.Sprintf("%s: %v is for the raw form: func(context.Context, *spoe.Message, *spoe.Actions) error", role, t)
	case st.Kind() != reflect.Struct:
		return nil, fmt.Sprintf("%s: %v is neither a struct nor a pointer to one: use a struct whose fields have tags", role, t)
	}
	return st, ""
}

func unprefixed(err error) string { return strings.TrimPrefix(err.Error(), "codec: ") }

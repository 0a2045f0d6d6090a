package router

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/internal/secret"
	"github.com/spoke-go/spoke/spoe"
)

var (
	messageType = reflect.TypeFor[spoe.Message]()
	actionsType = reflect.TypeFor[spoe.Actions]()
)

// decoderOf returns the struct of an In of type t and its decoder; wrong says why t
// cannot be an In.
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
	secret.Note(dec.Fields(), nil)
	return st, dec, ""
}

// encoderOf returns the struct of an Out of type t and its encoder; wrong says why t
// cannot be an Out.
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
		return nil, nil, fmt.Sprintf("result: no field of %v has a tag, so no variable would ever be set: write one behind each field that is a variable, such as `spoe:\"score,sess\"`, or register the function by Observe", st)
	}
	secret.Note(nil, enc.Fields())
	return st, enc, ""
}

// structOf returns the struct that t is or points to; wrong says why t cannot be bound.
func structOf(role string, t reflect.Type) (st reflect.Type, wrong string) {
	st = t
	if t.Kind() == reflect.Pointer {
		st = t.Elem()
	}
	switch {
	case st == messageType, st == actionsType:
		return nil, fmt.Sprintf("%s: %v is for a raw handler: register it by HandleRaw", role, t)
	case st.Kind() != reflect.Struct:
		return nil, fmt.Sprintf("%s: %v is neither a struct nor a pointer to one: use a struct whose fields have tags", role, t)
	}
	return st, ""
}

func unprefixed(err error) string { return strings.TrimPrefix(err.Error(), "codec: ") }

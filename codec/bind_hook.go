package codec

// Unmarshaler is a type that reads an argument its own way. v borrows from the frame:
// clone the parts that you keep. It is not called for NULL or a missing argument. If it
// returns an error, the field is zero again, see [Problems].
type Unmarshaler interface {
	UnmarshalSPOE(v Value) error
}

// Marshaler is a type that makes a variable's value its own way. A NULL counts as a nil
// pointer.
type Marshaler interface {
	MarshalSPOE() (Value, error)
}

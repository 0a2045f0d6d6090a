package codec

// Unmarshaler is a type that reads an argument itself. v borrows from the frame: clone
// the parts that you keep. UnmarshalSPOE is not called for NULL or a missing argument.
// If it returns an error, the field becomes zero, see [Problems].
type Unmarshaler interface {
	UnmarshalSPOE(v Value) error
}

// Marshaler is a type that makes a variable's value itself. A NULL counts as a nil
// pointer.
type Marshaler interface {
	MarshalSPOE() (Value, error)
}

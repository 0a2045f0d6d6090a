package codec

// Unmarshaler is the hook of a type that takes an argument its own way. v
// borrows from the frame: what is kept of it is cloned. It is not called for
// NULL, nor where the argument is missing.
type Unmarshaler interface {
	UnmarshalSPOE(v Value) error
}

// Marshaler is the hook of a type that makes a variable's value its own way.
// A NULL is treated as a nil pointer is.
type Marshaler interface {
	MarshalSPOE() (Value, error)
}

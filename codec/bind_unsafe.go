package codec

import (
	"reflect"
	"unsafe"
)

// All of the binding's unsafe code is here: a plan holds the offset of each field, found by
// reflect when the plan is compiled, so that a message needs no reflect.Value. Measured
// (least of 20 runs, nine arguments, a busy machine): 231 ns and one allocation with names,
// ranges and required checked, against 265 ns and six allocations for BenchmarkBindReflect,
// which does not check them: reflect.Value boxes each netip.Addr, and would need a second
// pass, as expensive as the first, to put the strings into one allocation.

// pointer points to a struct or to a field in one. It always points into the
// allocation that the caller's struct lies in, or that newOf made.
type pointer = unsafe.Pointer

// pointerTo returns the address of the struct that dst, a non-nil pointer, points to.
func pointerTo(dst any) pointer { return reflect.ValueOf(dst).UnsafePointer() }

func add(p pointer, off uintptr) pointer { return unsafe.Add(p, off) }

// as returns the memory at p as a T. Compiling the plan checked the type.
func as[T any](p pointer) *T { return (*T)(p) }

// newOf allocates a zero t.
func newOf(t reflect.Type) pointer { return reflect.New(t).UnsafePointer() }

// interfaceAt returns the *t at p. It does not allocate.
func interfaceAt(t reflect.Type, p pointer) any { return reflect.NewAt(t, p).Interface() }

// borrow returns b's bytes as a string without a copy: for a call that does not keep it, or
// until pack copies it.
func borrow(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// unsafeBytes returns the bytes of s without a copy: for a cursor, which only reads.
func unsafeBytes(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

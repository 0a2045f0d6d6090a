package codec

import "strconv"

// Type is the type of a value on the wire, the low four bits of its first
// byte (§3.1).
type Type uint8

// The types of §3.1; 10 to 15 are reserved, and refused.
const (
	TypeNull   Type = 0
	TypeBool   Type = 1
	TypeInt32  Type = 2
	TypeUint32 Type = 3
	TypeInt64  Type = 4
	TypeUint64 Type = 5
	TypeIPv4   Type = 6
	TypeIPv6   Type = 7
	TypeString Type = 8
	TypeBinary Type = 9
)

const (
	typeMask     byte = 0x0f
	flagBoolTrue byte = 0x10
)

var typeNames = [...]string{
	TypeNull:   "NULL",
	TypeBool:   "BOOL",
	TypeInt32:  "INT32",
	TypeUint32: "UINT32",
	TypeInt64:  "INT64",
	TypeUint64: "UINT64",
	TypeIPv4:   "IPV4",
	TypeIPv6:   "IPV6",
	TypeString: "STRING",
	TypeBinary: "BINARY",
}

// String returns the type's name as §3.1 writes it.
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return "TYPE(" + strconv.Itoa(int(t)) + ")"
}

package show

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/internal/safetext"
)

// Full is a limit that shortens nothing.
const Full = 1 << 30

// Value returns a value with its type, strings quoted and shortened to limit
// bytes.
func Value(v codec.Value, limit int) string {
	switch v.Type() {
	case codec.TypeNull:
		return "NULL"
	case codec.TypeString, codec.TypeBinary:
		b := v.Bytes()
		if len(b) <= limit {
			return v.Type().String() + " " + quote(string(b))
		}
		cut := limit
		for cut > 0 && limit-cut < utf8.UTFMax && !utf8.RuneStart(b[cut]) {
			cut--
		}
		return fmt.Sprintf("%s %s… (%d bytes)", v.Type(), quote(string(b[:cut])), len(b))
	}
	return v.Type().String() + " " + v.String()
}

// quote returns s quoted, with every character escaped that would not be seen as
// itself: strconv.Quote leaves some that are invisible.
func quote(s string) string { return safetext.Clip(strconv.Quote(s), math.MaxInt) }

// JSONValue is a value as JSON has it: null, true, a number or a string. Text that is not
// UTF-8 is in Bytes, which JSON has as base64.
type JSONValue struct {
	Type  string `json:"type"`
	Value any    `json:"value,omitempty"`
	Bytes []byte `json:"bytes,omitempty"`
}

// JSON returns v for JSON.
func JSON(v codec.Value) JSONValue {
	j := JSONValue{Type: v.Type().String()}
	switch v.Type() {
	case codec.TypeNull:
	case codec.TypeBool:
		j.Value, _ = v.Bool()
	case codec.TypeString, codec.TypeBinary:
		if b := v.Bytes(); utf8.Valid(b) {
			j.Value = string(b)
		} else {
			j.Bytes = b
		}
	case codec.TypeIPv4, codec.TypeIPv6:
		j.Value = v.String()
	default:
		j.Value = json.Number(v.String())
	}
	return j
}

package golden

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spoke-go/spoke/codec"
)

// head are the words of a frame's first line.
func (f Frame) head() []string {
	words := []string{f.Type.String()}
	if f.FIN {
		words = append(words, "fin")
	}
	return append(words, fmt.Sprintf("stream-id=%d", f.StreamID), fmt.Sprintf("frame-id=%d", f.FrameID))
}

// Quote is strconv.Quote, with repetition written as "0123456789"*230.
func Quote(s string) string {
	const long, unit = 64, 16
	for n := 1; n <= unit && len(s) > long; n++ {
		if len(s)%n == 0 && strings.Repeat(s[:n], len(s)/n) == s {
			return strconv.Quote(s[:n]) + "*" + strconv.Itoa(len(s)/n)
		}
	}
	return strconv.Quote(s)
}

func formatValue(v codec.Value) string {
	switch v.Type() {
	case codec.TypeNull:
		return "NULL"
	case codec.TypeString, codec.TypeBinary:
		return v.Type().String() + " " + Quote(v.Str())
	}
	return v.Type().String() + " " + v.String()
}

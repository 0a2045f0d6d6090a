package codec

// MaxVarintLen is the length of the longest varint, that of 2^64-1.
const MaxVarintLen = 10

// AppendVarint appends v in the peers encoding of §3.1: one byte below 240,
// otherwise four bits of v in the first byte and seven in each that follows.
func AppendVarint(b []byte, v uint64) []byte {
	if v < 240 {
		return append(b, byte(v))
	}
	b = append(b, byte(v)|0xf0)
	v = (v - 240) >> 4
	for v >= 128 {
		b = append(b, byte(v)|0x80)
		v = (v - 128) >> 7
	}
	return append(b, byte(v))
}

// VarintLen returns the number of bytes that AppendVarint writes for v, 1 to
// MaxVarintLen.
func VarintLen(v uint64) int {
	if v < 240 {
		return 1
	}
	n := 2
	for v = (v - 240) >> 4; v >= 128; v = (v - 128) >> 7 {
		n++
	}
	return n
}

// beginText appends the type of a STRING and space for a short length. Append its bytes
// after it; then finishText fills in the length.
func beginText(b []byte) (out []byte, start int) { return beginBytes(b, TypeString) }

func beginBytes(b []byte, t Type) (out []byte, start int) {
	return append(b, byte(t), 0), len(b) + 2
}

// finishText fills in the length of the bytes from start on. It moves them if the
// length needs more than one byte.
func finishText(b []byte, start int) []byte {
	n := len(b) - start
	var more [MaxVarintLen]byte
	width := VarintLen(uint64(n))
	b = append(b, more[:width-1]...)
	copy(b[start+width-1:], b[start:start+n])
	AppendVarint(b[:start-1], uint64(n))
	return b
}

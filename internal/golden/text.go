package golden

import (
	"fmt"
	"net/netip"
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

// words cuts a line at spaces outside of quotes.
type words struct {
	line string
	err  error
}

func (w *words) fail(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf(format, args...)
	}
}

func (w *words) quoted() bool { return strings.HasPrefix(strings.TrimLeft(w.line, " "), `"`) }

func (w *words) word() string {
	word, rest, _ := strings.Cut(strings.TrimLeft(w.line, " "), " ")
	w.line = rest
	return word
}

// text takes what Quote writes.
func (w *words) text() string {
	w.line = strings.TrimLeft(w.line, " ")
	q, err := strconv.QuotedPrefix(w.line)
	if err != nil {
		w.fail("%.40q is not quoted", w.line)
		return ""
	}
	w.line = w.line[len(q):]
	s, err := strconv.Unquote(q)
	if err != nil {
		w.fail("%q: %w", q, err)
	}
	if strings.HasPrefix(w.line, "*") {
		times := w.word()[1:]
		n, err := strconv.ParseUint(times, 10, 24)
		if err != nil {
			w.fail("repeated %q times", times)
		}
		s = strings.Repeat(s, int(n))
	}
	return s
}

func (w *words) value() codec.Value {
	switch typ := w.word(); typ {
	case "NULL":
		return codec.Null()
	case "STRING":
		return codec.String(w.text())
	case "BINARY":
		return codec.Binary([]byte(w.text()))
	case "BOOL":
		b, err := strconv.ParseBool(w.word())
		w.failed(err)
		return codec.Bool(b)
	case "INT32":
		return codec.Int32(int32(w.int(32)))
	case "INT64":
		return codec.Int64(w.int(64))
	case "UINT32":
		return codec.Uint32(uint32(w.uint(32)))
	case "UINT64":
		return codec.Uint64(w.uint(64))
	case "IPV4", "IPV6":
		a, err := netip.ParseAddr(w.word())
		w.failed(err)
		if err == nil && a.Is4() != (typ == "IPV4") {
			w.fail("%s is no %s", a, typ)
		}
		return codec.Addr(a)
	default:
		w.fail("no type %q", typ)
		return codec.Null()
	}
}

func (w *words) int(bits int) int64 {
	n, err := strconv.ParseInt(w.word(), 10, bits)
	w.failed(err)
	return n
}

func (w *words) uint(bits int) uint64 {
	n, err := strconv.ParseUint(w.word(), 10, bits)
	w.failed(err)
	return n
}

func (w *words) failed(err error) {
	if err != nil {
		w.fail("%w", err)
	}
}

func (w *words) end() error {
	if left := strings.TrimSpace(w.line); left != "" {
		w.fail("%.40q is left over", left)
	}
	return w.err
}

package conf

import (
	"encoding"
	"fmt"
	"log/slog"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

var durationType = reflect.TypeFor[time.Duration]()

// setText sets v to the value that text stands for. The error says what to write.
func (f field) setText(v reflect.Value, text string) error {
	if isText(v.Type()) {
		if err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text)); err != nil {
			return f.notText(v, text, err)
		}
		// Addresses are compared as IPv4: such a network would contain none.
		if p, ok := v.Interface().(netip.Prefix); ok && p.Addr().Is4In6() {
			return fmt.Errorf("%q is IPv4 in the form of IPv6: write %v", text, netip.PrefixFrom(p.Addr().Unmap(), max(p.Bits()-96, 0)))
		}
		return nil
	}
	if v.Type() == durationType {
		d, err := time.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("%q is not a duration: write a number and its unit, such as 200ms, 10s or 5m", text)
		}
		v.SetInt(int64(d))
		return f.inBounds(v, text)
	}
	switch k := v.Kind(); {
	case k == reflect.String:
		if len(f.oneof) > 0 && !slices.Contains(f.oneof, text) {
			return fmt.Errorf("%q is unknown%s", text, f.choices())
		}
		v.SetString(text)
	case k == reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false: write true or false", text)
		}
		v.SetBool(b)
	case v.CanInt():
		n, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if err != nil {
			return f.notNumber(text, "a whole number", "10")
		}
		v.SetInt(n)
	case v.CanUint():
		n, err := strconv.ParseUint(text, 10, v.Type().Bits())
		if err != nil {
			return f.notNumber(text, "a whole number of 0 or more", "10")
		}
		v.SetUint(n)
	case v.CanFloat():
		n, err := strconv.ParseFloat(text, v.Type().Bits())
		if err != nil || n != n {
			return f.notNumber(text, "a number", "0.5")
		}
		v.SetFloat(n)
	}
	return f.inBounds(v, text)
}

// notText says why a type does not take a text. The errors of the standard library's
// types do not say what to write.
func (f field) notText(v reflect.Value, text string, err error) error {
	kind, example := "", ""
	switch v.Interface().(type) {
	case netip.Prefix:
		kind, example = "a network", "10.0.0.0/8 or 2001:db8::/32"
	case netip.Addr:
		kind, example = "an IP address", "192.0.2.1 or 2001:db8::1"
	case slog.Level:
		kind, example = "a level", "info"
	default:
		return fmt.Errorf("%q is not accepted: %w%s", text, err, f.choices())
	}
	if len(f.oneof) > 0 {
		return fmt.Errorf("%q is not %s%s", text, kind, f.choices())
	}
	return fmt.Errorf("%q is not %s: write one such as %s", text, kind, example)
}

func (f field) choices() string {
	if len(f.oneof) == 0 {
		return ""
	}
	return ": write " + orList(f.oneof)
}

func (f field) notNumber(text, kind, example string) error {
	if f.min != "" || f.max != "" {
		return fmt.Errorf("%q is not %s: write one %s", text, kind, f.bounds())
	}
	return fmt.Errorf("%q is not %s: write one such as %s", text, kind, example)
}

// inBounds compares a number or a duration with the tags min and max.
func (f field) inBounds(v reflect.Value, text string) error {
	for _, bound := range []struct {
		text string
		sign int
	}{{f.min, -1}, {f.max, 1}} {
		if bound.text == "" {
			continue
		}
		limit := reflect.New(v.Type()).Elem()
		if err := (field{}).setText(limit, bound.text); err != nil {
			panic(fmt.Sprintf("conf: the bound of %s: %v", f.name, err))
		}
		if compare(v, limit) == bound.sign {
			return fmt.Errorf("%s is out of range: write a value %s", text, f.bounds())
		}
	}
	return nil
}

func (f field) bounds() string {
	switch {
	case f.max == "":
		return "of " + f.min + " or more"
	case f.min == "":
		return "of " + f.max + " or less"
	}
	return "from " + f.min + " to " + f.max
}

func compare(a, b reflect.Value) int {
	less, more := false, false
	switch {
	case a.CanInt():
		less, more = a.Int() < b.Int(), a.Int() > b.Int()
	case a.CanUint():
		less, more = a.Uint() < b.Uint(), a.Uint() > b.Uint()
	case a.CanFloat():
		less, more = a.Float() < b.Float(), a.Float() > b.Float()
	}
	switch {
	case less:
		return -1
	case more:
		return 1
	}
	return 0
}

// text is the reverse of setText.
func text(v reflect.Value) string {
	if level, ok := v.Interface().(slog.Level); ok {
		return strings.ToLower(level.String()) // as people write it
	}
	if m, ok := v.Interface().(encoding.TextMarshaler); ok {
		if b, err := m.MarshalText(); err == nil {
			return string(b)
		}
	}
	return fmt.Sprint(v.Interface())
}

// orList returns "a, b or c".
func orList(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

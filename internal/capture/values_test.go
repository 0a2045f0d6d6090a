package capture_test

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/internal/golden"
)

func values() scenario {
	integers := message{name: "integers"}
	for _, n := range []int64{
		math.MinInt64, math.MinInt64 + 1, math.MinInt32 - 1, math.MinInt32, -5, -1, 0, 1,
		// The edges of each length of a varint.
		239, 240, 2287, 2288, 264431, 264432, 33818863, 33818864, 4328786159, 4328786160,
		554084600047, 554084600048, 70922828777711, 70922828777712,
		9078122083518703, 9078122083518704, 1161999626690365679, 1161999626690365680,
		math.MaxInt32, math.MaxInt32 + 1, math.MaxUint32, math.MaxUint32 + 1, math.MaxInt64 - 1, math.MaxInt64,
	} {
		name := strings.Replace("n"+strconv.FormatInt(n, 10), "-", "_", 1)
		integers.args = append(integers.args, arg{name, fmt.Sprintf("int(%d)", n), codec.Int64(n)})
	}
	return scenario{
		name:  "values",
		about: "Every type of value that HAProxy has, in four messages of one NOTIFY.",
		messages: []message{
			{name: "types", args: []arg{
				{"true", "bool(true)", codec.Bool(true)},
				{"false", "bool(false)", codec.Bool(false)},
				{"ssl", "ssl_fc", codec.Bool(false)},
				{"computed", "int(40),add(2)", codec.Int64(42)},
				{"negative", "int(5),neg", codec.Int64(-5)},
				{"ipv4", "ipv4(192.0.2.1)", addr("192.0.2.1")},
				{"zeros", "ipv4(0.0.0.0)", addr("0.0.0.0")},
				{"ones", "ipv4(255.255.255.255)", addr("255.255.255.255")},
				{"src", "src", addr("127.0.0.1")},
				{"ipv6", "ipv6(2001:db8::1)", addr("2001:db8::1")},
				{"unspecified", "ipv6(::)", addr("::")},
				{"mapped", "ipv6(::ffff:192.0.2.1)", addr("::ffff:192.0.2.1")},
				{"hdr_ip", "req.hdr_ip(x-ip)", addr("2001:db8:1:2:3:4:5:6")},
				{"string", "str(words)", codec.String("words")},
				{"empty", "req.fhdr(x-empty)", codec.String("")},
				{"utf8", "req.fhdr(x-utf8)", codec.String("grün €")},
				{"binary", "bin(00ff00010a0d)", codec.Binary([]byte{0, 0xff, 0, 1, '\n', '\r'})},
				{"method", "method", codec.String("GET")},
				{"other-method", "meth(PURGE)", codec.String("PURGE")},
				{"missing", "req.fhdr(x-missing)", codec.Null()},
				{"unset", "var(txn.nowhere)", codec.Null()},
			}},
			integers,
			{name: "nameless", args: []arg{
				{"", "src", addr("127.0.0.1")},
				{"", "str(second)", codec.String("second")},
				{"named", "bool(true)", codec.Bool(true)},
				{"", "int(-1)", codec.Int64(-1)},
			}},
			{name: "nothing"},
		},
		run: func(c *capture) ([][]byte, []golden.Frame) {
			resp, _ := c.request("GET /values HTTP/1.1\r\n", "Host: example.com\r\n", "X-IP: 2001:db8:1:2:3:4:5:6\r\n",
				"X-Empty:\r\n", "X-UTF8: grün €\r\n", "\r\n")
			assert.Equal(c, 200, resp.StatusCode)
			c.accepted(1)
			return c.firstConnection(4), append(c.hellos(), notify(wants(c.messages)...), ack())
		},
	}
}

func lengths() scenario {
	s := scenario{
		name: "lengths",
		about: "Strings, a name and a number of arguments at the edges of the lengths of their\n" +
			"varints: two NOTIFYs on one connection.",
	}
	parts := []string{"GET /lengths HTTP/1.1\r\n", "Host: example.com\r\n"}
	long := message{name: "lengths"}
	for i, n := range []int{1, 239, 240, 2287, 2288} {
		name, text := fmt.Sprintf("x-%d", n), strings.Repeat(string(rune('a'+i)), n)
		parts = append(parts, name+": ", text, "\r\n")
		long.args = append(long.args, arg{name, "req.fhdr(" + name + ")", codec.String(text)})
	}
	parts = append(parts, "\r\n")
	for _, n := range []int{239, 240} {
		long.args = append(long.args, arg{strings.Repeat("n", n), "bool(true)", codec.Bool(true)})
	}
	many := message{name: strings.Repeat("m", 240)}
	for i := range codec.MaxArgs {
		many.args = append(many.args, arg{"", fmt.Sprintf("int(%d)", i), codec.Int64(int64(i))})
	}
	many.event = "on-http-response"
	s.messages = []message{long, many}
	s.run = func(c *capture) ([][]byte, []golden.Frame) {
		resp, _ := c.request(parts...)
		assert.Equal(c, 200, resp.StatusCode)
		c.accepted(2)
		return c.firstConnection(6), append(c.hellos(), notify(long.want()), ack(), notify(many.want()), ack())
	}
	return s
}

package capture_test

import (
	"fmt"
	"strings"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/internal/golden"
)

func fragments() scenario {
	cookie, body := strings.Repeat("0123456789", 100), strings.Repeat("abcdefg\x00", 110)
	return scenario{
		name:    "fragments",
		about:   "A NOTIFY in fragments: its messages are longer than the frames that were agreed.",
		upTo:    "3.1", // later ones do not fragment
		bufsize: 4096,
		messages: []message{
			{name: "first", args: []arg{
				{"cookie", "req.fhdr(cookie)", codec.String(cookie)},
				{"body", "req.body", codec.Binary([]byte(body))},
				{"again", "req.fhdr(cookie)", codec.String(cookie)},
			}},
			{name: "second", args: []arg{
				{"body", "req.body", codec.Binary([]byte(body))},
				{"cookie", "req.fhdr(cookie)", codec.String(cookie)},
			}},
			{name: "third", args: []arg{
				{"", "req.body", codec.Binary([]byte(body))},
				{"", "req.fhdr(cookie)", codec.String(cookie)},
				{"", "req.body", codec.Binary([]byte(body))},
				{"", "req.fhdr(cookie)", codec.String(cookie)},
				{"last", "int(-1)", codec.Int64(-1)},
			}},
		},
		run: func(c *capture) ([][]byte, []golden.Frame) {
			resp, _ := c.request("POST /fragments HTTP/1.1\r\n", "Host: example.com\r\n", "Cookie: ", cookie, "\r\n",
				fmt.Sprintf("Content-Length: %d\r\n", len(body)), "\r\n", body)
			assert.Equal(c, 200, resp.StatusCode)
			c.accepted(1)
			frames := c.rec.wait(c.T, func(frames [][]byte, _ bool) bool {
				return len(frames) > 0 && typeOf(frames[len(frames)-1]) == codec.FrameAck
			})
			want := append(c.hellos(), golden.Frame{Type: codec.FrameNotify})
			for range len(frames) - 5 {
				want = append(want, golden.Frame{Type: codec.FrameUnset})
			}
			return frames, append(want, golden.Frame{Type: codec.FrameUnset, FIN: true, Messages: wants(c.messages)}, ack())
		},
	}
}

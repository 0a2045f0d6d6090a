package conformance

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"reflect"
	"time"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
)

// boundFields are MessageBind's arguments and variables. All are pointers: a missing
// argument makes no action.
type boundFields struct {
	Int8     *int8          `spoe:"int8"`
	Uint8    *uint8         `spoe:"uint8"`
	Int32    *int32         `spoe:"int32"`
	Int64    *int64         `spoe:"int64"`
	Uint64   *uint64        `spoe:"uint64"`
	Bool     *bool          `spoe:"bool"`
	Float    *float64       `spoe:"float"`
	String   *string        `spoe:"string"`
	Bytes    *[]byte        `spoe:"bytes"`
	IP       *net.IP        `spoe:"ip"`
	Addr     *netip.Addr    `spoe:"addr"`
	Duration *time.Duration `spoe:"duration"`
	Headers  *http.Header   `spoe:"headers"`
	Query    *url.Values    `spoe:"query"`
	Level    *slog.Level    `spoe:"level"`
	Body     *boundBody     `spoe:"body,json"`
	Client   boundClient    `spoe:"client"`
	boundID
}

type boundBody struct {
	User string `json:"user"`
	Tags []int  `json:"tags,omitempty"`
}

type boundClient struct {
	Port *uint16 `spoe:"port"`
}

// boundID is embedded in MessageBind's struct.
type boundID struct {
	ID *string `spoe:"id"`
}

type bindIn struct {
	First  *string `spoe:",pos=0"`
	Fields boundFields
}

type bindOut struct {
	First  *string `spoe:"first"`
	Fields boundFields
}

type nullIn struct {
	Zero    int    `spoe:"zero"`
	Pointer *int   `spoe:"pointer"`
	Must    string `spoe:"must,required"`
}

type nullOut struct {
	Zero int  `spoe:"zero"`
	Nil  bool `spoe:"nil"`
}

func serveBind(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
	var in bindIn
	if err := codec.Unmarshal(msg.Args.Raw(), &in); err != nil {
		return err
	}
	return setResult(acts, &bindOut{First: in.First, Fields: in.Fields})
}

func serveNull(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
	var in nullIn
	if err := codec.Unmarshal(msg.Args.Raw(), &in); err != nil {
		return err
	}
	return setResult(acts, &nullOut{Zero: in.Zero, Nil: in.Pointer == nil})
}

func setResult(acts *spoe.Actions, out any) error {
	enc, err := codec.EncoderOf(reflect.TypeOf(out))
	if err != nil {
		return err
	}
	return acts.SetResult(enc, out)
}

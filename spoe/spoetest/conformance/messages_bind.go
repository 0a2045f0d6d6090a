package conformance

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"reflect"
	"sync"
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

// plans are compiled when they are first needed.
var plans = sync.OnceValues(func() (p struct {
	bindIn, nullIn   *codec.Decoder
	bindOut, nullOut *codec.Encoder
}, err error) {
	if p.bindIn, err = codec.DecoderOf(reflect.TypeFor[bindIn]()); err != nil {
		return p, err
	}
	if p.nullIn, err = codec.DecoderOf(reflect.TypeFor[nullIn]()); err != nil {
		return p, err
	}
	if p.bindOut, err = codec.EncoderOf(reflect.TypeFor[bindOut]()); err != nil {
		return p, err
	}
	p.nullOut, err = codec.EncoderOf(reflect.TypeFor[nullOut]())
	return p, err
})

func serveBind(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
	p, err := plans()
	if err != nil {
		return err
	}
	var in bindIn
	if err := p.bindIn.Decode(msg.Name, msg.Args.Raw(), &in); err != nil {
		return err
	}
	return acts.SetResult(p.bindOut, &bindOut{First: in.First, Fields: in.Fields})
}

func serveNull(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
	p, err := plans()
	if err != nil {
		return err
	}
	var in nullIn
	if err := p.nullIn.Decode(msg.Name, msg.Args.Raw(), &in); err != nil {
		return err
	}
	return acts.SetResult(p.nullOut, &nullOut{Zero: in.Zero, Nil: in.Pointer == nil})
}

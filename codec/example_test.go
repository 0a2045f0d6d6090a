package codec_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"reflect"
	"strings"

	"github.com/spoke-go/spoke/codec"
)

// A NOTIFY as it comes, its length cut off: frame, messages, arguments.
func Example() {
	frame := notifyFrame()
	f, err := codec.ParseFrame(frame)
	if err != nil {
		panic(err)
	}
	fmt.Println(f.Type, f.StreamID, f.FrameID)
	msgs := codec.NewMessages(f.Payload)
	for msgs.Next() {
		msg := msgs.Message()
		for name, value := range msg.Args.All() {
			fmt.Printf("%s: %s = %s %v\n", msg.Name, name, value.Type(), value)
		}
	}
	if err := msgs.Err(); err != nil {
		panic(err)
	}
	// Output:
	// NOTIFY 4711 1
	// ip-rep: ip = IPV4 192.0.2.17
}

func ExampleDecoder() {
	type TLS struct {
		SNI     string `spoe:"sni"`
		Version string `spoe:"version,default=none"`
	}
	type Request struct {
		Src   netip.Addr  `spoe:"src,required"`
		Port  *uint16     `spoe:"port"`
		Head  http.Header `spoe:"headers"`
		Token string      `spoe:"token,secret"`
		First int         `spoe:",pos=0"`
		TLS   TLS         `spoe:"tls"`
	}
	dec, err := codec.DecoderOf(reflect.TypeFor[Request]()) // once
	if err != nil {
		panic(err)
	}

	var b []byte // what HAProxy sends
	b = codec.AppendArg(b, "", codec.Int64(1))
	b = codec.AppendArg(b, "src", codec.Addr(netip.MustParseAddr("192.0.2.17")))
	b = codec.AppendArg(b, "headers", codec.String("host: example.com\r\naccept: */*\r\n\r\n"))
	b = codec.AppendArg(b, "tls.sni", codec.String("example.com"))
	var r Request
	if err := dec.Decode("request", codec.NewArgs(b, 4), &r); err != nil {
		panic(err)
	}
	fmt.Println(r.Src, r.Port == nil, r.Head.Get("Host"), r.First, r.TLS.SNI, r.TLS.Version)

	fmt.Println(dec.Decode("request", codec.NewArgs(nil, 0), &r))
	// Output:
	// 192.0.2.17 true example.com 1 example.com none
	// message "request": argument "src" is missing; field codec_test.Request.Src (netip.Addr) requires it
}

func ExampleEncoder() {
	type Verdict struct {
		Score int     `spoe:"ip_score,sess"`
		List  string  `spoe:"ip_list,sess,omitempty"`
		Ratio float64 `spoe:"ratio"`
		Block *bool   `spoe:"block,unset"`
	}
	enc, err := codec.EncoderOf(reflect.TypeFor[Verdict]()) // once
	if err != nil {
		panic(err)
	}
	payload, err := enc.Append(nil, &Verdict{Score: 42, Ratio: 0.25})
	if err != nil {
		panic(err)
	}
	acts, err := codec.ParseActions(payload) // as HAProxy does
	if err != nil {
		panic(err)
	}
	for _, a := range acts {
		fmt.Println(a.Unset, a.Scope, a.Name, a.Value.Type(), a.Value)
	}
	// Output:
	// false sess ip_score INT64 42
	// false txn ratio STRING 0.25
	// true txn block NULL null
}

// Country is an ISO 3166 code.
type Country string

// UnmarshalSPOE takes a STRING of two letters. It keeps a copy.
func (c *Country) UnmarshalSPOE(v codec.Value) error {
	if s := v.Str(); len(s) == 2 {
		*c = Country(strings.ToUpper(s))
		return nil
	}
	return fmt.Errorf("a country has two letters")
}

func ExampleUnmarshaler() {
	var in struct {
		Country Country `spoe:"country"`
	}
	fmt.Println(codec.Unmarshal(codec.NewArgs(codec.AppendArg(nil, "country", codec.String("de")), 1), &in), in.Country)
	// Output: <nil> DE
}

func ExampleDecodeHeadersBin() {
	h, err := codec.DecodeHeadersBin([]byte("\x04host\x0bexample.com\x01x\x011\x01x\x012\x00\x00"))
	fmt.Println(h, err)
	// Output: map[Host:[example.com] X:[1 2]] <nil>
}

func ExampleDecoder_Fields() {
	dec, err := codec.DecoderOf(reflect.TypeFor[address]())
	if err != nil {
		panic(err)
	}
	for _, f := range dec.Fields() {
		fmt.Println(f.Name, f.Type, f.Required, f.Types)
	}
	// Output: ip netip.Addr true [IPV4 IPV6 STRING BINARY]
}

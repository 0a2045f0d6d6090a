package codec_test

import (
	"net/netip"
	"reflect"
	"testing"

	"github.com/spoke-go/spoke/codec"
)

// request is the input of a handler that looks at whole requests: nine arguments, five
// of them strings.
type request struct {
	Method      string     `spoe:"method"`
	Path        string     `spoe:"path"`
	Host        string     `spoe:"host"`
	UserAgent   string     `spoe:"user_agent"`
	Traceparent string     `spoe:"traceparent"`
	Src         netip.Addr `spoe:"src"`
	Port        int        `spoe:"port"`
	Length      int        `spoe:"length"`
	SSL         bool       `spoe:"ssl"`
}

type address struct {
	IP netip.Addr `spoe:"ip,required"`
}

type verdict struct {
	Score int    `spoe:"ip_score,sess"`
	List  string `spoe:"ip_list,sess,omitempty"`
}

func requestArgs() codec.Args {
	var b []byte
	b = codec.AppendArg(b, "method", codec.String("GET"))
	b = codec.AppendArg(b, "path", codec.String("/shop/cart/items?sort=price&page=2"))
	b = codec.AppendArg(b, "host", codec.String("www.example.com"))
	b = codec.AppendArg(b, "user_agent", codec.String("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"))
	b = codec.AppendArg(b, "traceparent", codec.String("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"))
	b = codec.AppendArg(b, "src", codec.Addr(netip.MustParseAddr("192.0.2.17")))
	b = codec.AppendArg(b, "port", codec.Int64(51234))
	b = codec.AppendArg(b, "length", codec.Int64(1417))
	b = codec.AppendArg(b, "ssl", codec.Bool(true))
	return codec.NewArgs(b, 9)
}

func notifyFrame() []byte {
	b := codec.BeginFrame(nil, codec.FrameNotify, codec.FlagFIN, 4711, 1)
	b = codec.AppendMessage(b, "ip-rep", 1)
	b = codec.AppendArg(b, "ip", codec.Addr(netip.MustParseAddr("192.0.2.17")))
	return codec.FinishFrame(b, 0)[codec.LengthSize:]
}

func parseNotify(frame []byte) (n int) {
	f, err := codec.ParseFrame(frame)
	if err != nil {
		panic(err)
	}
	msgs := codec.NewMessages(f.Payload)
	for msgs.Next() {
		n += msgs.Message().Args.Len()
	}
	if msgs.Err() != nil {
		panic(msgs.Err())
	}
	return n
}

func BenchmarkParseNotify1(b *testing.B) {
	frame := notifyFrame()
	b.ReportAllocs()
	for b.Loop() {
		parseNotify(frame)
	}
}

func BenchmarkBind1(b *testing.B) {
	args := codec.NewArgs(codec.AppendArg(nil, "ip", codec.Addr(netip.MustParseAddr("192.0.2.17"))), 1)
	d := decoderFor[address](b)
	var in address
	b.ReportAllocs()
	for b.Loop() {
		if err := d.Decode("ip-rep", args, &in); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBind9 is held against BenchmarkBind9ByHand: at most 2.5 times it.
func BenchmarkBind9(b *testing.B) {
	args := requestArgs()
	d := decoderFor[request](b)
	var in request
	b.ReportAllocs()
	for b.Loop() {
		if err := d.Decode("request", args, &in); err != nil {
			b.Fatal(err)
		}
	}
}

// shuffled has request's fields in the reverse of HAProxy's order.
type shuffled struct {
	SSL         bool       `spoe:"ssl"`
	Length      int        `spoe:"length"`
	Port        int        `spoe:"port"`
	Src         netip.Addr `spoe:"src"`
	Traceparent string     `spoe:"traceparent"`
	UserAgent   string     `spoe:"user_agent"`
	Host        string     `spoe:"host"`
	Path        string     `spoe:"path"`
	Method      string     `spoe:"method"`
}

func BenchmarkBind9Shuffled(b *testing.B) {
	args := requestArgs()
	d := decoderFor[shuffled](b)
	var in shuffled
	b.ReportAllocs()
	for b.Loop() {
		if err := d.Decode("request", args, &in); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBind9ByHand(b *testing.B) {
	args := requestArgs()
	var in request
	b.ReportAllocs()
	for b.Loop() {
		bindByHand(args, &in)
	}
}

func bindByHand(args codec.Args, in *request) {
	*in = request{}
	for name, v := range args.Scan() {
		switch string(name) {
		case "method":
			in.Method = v.Str()
		case "path":
			in.Path = v.Str()
		case "host":
			in.Host = v.Str()
		case "user_agent":
			in.UserAgent = v.Str()
		case "traceparent":
			in.Traceparent = v.Str()
		case "src":
			in.Src, _ = v.Addr()
		case "port":
			n, _ := v.Int()
			in.Port = int(n)
		case "length":
			n, _ := v.Int()
			in.Length = int(n)
		case "ssl":
			in.SSL, _ = v.Bool()
		}
	}
}

// BenchmarkBindReflect measures the fields by reflect.Value, without names and copies:
// the reason for bind_unsafe.go.
func BenchmarkBindReflect(b *testing.B) {
	args := requestArgs()
	var in request
	b.ReportAllocs()
	for b.Loop() {
		dst := reflect.ValueOf(&in).Elem()
		dst.SetZero()
		i := 0
		for _, v := range args.Scan() {
			switch f := dst.Field(i); f.Kind() {
			case reflect.String:
				f.SetString(v.Str())
			case reflect.Int:
				n, _ := v.Int()
				f.SetInt(n)
			case reflect.Bool:
				on, _ := v.Bool()
				f.SetBool(on)
			default:
				a, _ := v.Addr()
				f.Set(reflect.ValueOf(a))
			}
			i++
		}
	}
}

func BenchmarkEncode2(b *testing.B) {
	e := encoderFor[verdict](b)
	out := verdict{Score: 42, List: "spamhaus"}
	buf := make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if buf, err = e.Append(buf[:0], &out); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode2ByHand(b *testing.B) {
	buf := make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		buf = codec.AppendSetVar(buf[:0], codec.ScopeSession, "ip_score", codec.Int64(42))
		buf = codec.AppendSetVar(buf, codec.ScopeSession, "ip_list", codec.String("spamhaus"))
	}
}

func decoderFor[T any](tb testing.TB) *codec.Decoder {
	tb.Helper()
	d, err := codec.DecoderOf(reflect.TypeFor[T]())
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

func encoderFor[T any](tb testing.TB) *codec.Encoder {
	tb.Helper()
	e, err := codec.EncoderOf(reflect.TypeFor[T]())
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

package router_test

import (
	"context"
	"net/netip"
	"testing"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/internal/bridge"
	"github.com/spoke-go/spoke/spoe"
)

// Benchmarks and gates measure these two messages.

type ipIn struct {
	IP netip.Addr `spoe:"ip,required"`
}

type ipOut struct {
	Score int `spoe:"ip_score,sess"`
}

type requestIn struct {
	Method      string     `spoe:"method"`
	Path        string     `spoe:"path"`
	Host        string     `spoe:"host"`
	UserAgent   string     `spoe:"ua"`
	Traceparent string     `spoe:"traceparent"`
	Src         netip.Addr `spoe:"src,required"`
	Port        int        `spoe:"port"`
	Length      int64      `spoe:"length"`
	TLS         bool       `spoe:"ssl"`
}

type requestOut struct {
	Score  int    `spoe:"score"`
	Action string `spoe:"action"`
}

func handleIP(_ context.Context, in ipIn) (ipOut, error) {
	return ipOut{Score: in.IP.BitLen()}, nil
}

func handleRequest(_ context.Context, in requestIn) (requestOut, error) {
	return requestOut{len(in.Host) + in.Src.BitLen(), "allow"}, nil
}

func rawIP(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
	ip, _ := msg.Args.Lookup("ip")
	addr, _ := ip.Addr()
	return acts.SetInt(spoe.VarScopeSession, "ip_score", int64(addr.BitLen()))
}

// rawRequest reads what requestIn is bound to.
func rawRequest(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
	var in requestIn
	for name, v := range msg.Args.All() {
		switch name {
		case "method":
			in.Method = v.Str()
		case "path":
			in.Path = v.Str()
		case "host":
			in.Host = v.Str()
		case "ua":
			in.UserAgent = v.Str()
		case "traceparent":
			in.Traceparent = v.Str()
		case "src":
			in.Src, _ = v.Addr()
		case "port":
			port, _ := v.Int()
			in.Port = int(port)
		case "length":
			in.Length, _ = v.Int()
		case "ssl":
			in.TLS, _ = v.Bool()
		}
	}
	if err := acts.SetInt(spoe.VarScopeTransaction, "score", int64(len(in.Host)+in.Src.BitLen())); err != nil {
		return err
	}
	return acts.SetString(spoe.VarScopeTransaction, "action", "allow")
}

func newMessage(tb testing.TB, name string) *spoe.Message {
	var raw []byte
	n := 0
	arg := func(name string, v codec.Value) { raw = codec.AppendArg(raw, name, v); n++ }
	if name == "ip" {
		arg("ip", codec.Addr(listed))
	} else {
		arg("method", codec.String("GET"))
		arg("path", codec.String("/index.html"))
		arg("host", codec.String("www.example.org"))
		arg("ua", codec.String("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"))
		arg("traceparent", codec.String("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"))
		arg("src", codec.Addr(listed))
		arg("port", codec.Int64(44321))
		arg("length", codec.Int64(1234))
		arg("ssl", codec.Bool(true))
	}
	msg := rawMessage(name, codec.NewArgs(raw, n))
	return msg
}

// rawMessage returns a message whose arguments lie in a buffer of the test's.
func rawMessage(name string, args codec.Args) *spoe.Message {
	return bridge.NewMessage(name, args).(*spoe.Message)
}

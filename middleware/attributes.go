package middleware

import (
	"net"
	"net/netip"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
)

// maxShown is how much of a value telemetry shows, in bytes.
const maxShown = 256

// valueAttribute returns a value as an attribute of its own type.
func valueAttribute(key string, v codec.Value) attribute.KeyValue {
	switch v.Type() {
	case codec.TypeBool:
		b, _ := v.Bool()
		return attribute.Bool(key, b)
	case codec.TypeInt32, codec.TypeUint32, codec.TypeInt64, codec.TypeUint64:
		if n, ok := v.Int(); ok {
			return attribute.Int64(key, n)
		}
	}
	return attribute.String(key, shown(v))
}

// shown returns a value as text, maxShown bytes of it at most and valid UTF-8.
func shown(v codec.Value) string {
	b := v.Bytes()
	if b == nil {
		return v.String()
	}
	return strings.ToValidUTF8(string(b[:min(len(b), maxShown)]), "�")
}

// messageAttributes are those that differ from NOTIFY to NOTIFY.
func messageAttributes(msg *spoe.Message) []attribute.KeyValue {
	attrs := []attribute.KeyValue{
		attribute.String("spop.engine_id", msg.EngineID()),
		attribute.Int64("spop.stream_id", int64(msg.StreamID())),
		attribute.Int64("spop.frame_id", int64(msg.FrameID())),
	}
	switch peer := msg.Peer().(type) {
	case *net.TCPAddr:
		return appendPeer(attrs, peer.AddrPort())
	case *net.UnixAddr: // HAProxy's end has no name
		return append(attrs, semconv.NetworkTransportUnix)
	case nil:
		return attrs
	default:
		if ap, err := netip.ParseAddrPort(peer.String()); err == nil {
			return appendPeer(attrs, ap)
		}
		return attrs
	}
}

func appendPeer(attrs []attribute.KeyValue, peer netip.AddrPort) []attribute.KeyValue {
	return append(attrs, semconv.NetworkTransportTCP,
		semconv.NetworkPeerAddress(peer.Addr().Unmap().String()), semconv.NetworkPeerPort(int(peer.Port())))
}

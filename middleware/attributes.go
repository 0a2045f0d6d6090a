package middleware

import (
	"net"
	"net/netip"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/internal/safetext"
	"github.com/spoke-go/spoke/spoe"
)

const (
	maxShown    = 256  // bytes of a value that telemetry shows
	maxErrShown = 1024 // bytes of an error's text

	redacted = "REDACTED" // stands for a secret value
)

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

// shown returns a value as text that is safe to show.
func shown(v codec.Value) string {
	if b := v.Bytes(); b != nil {
		return safetext.ClipBytes(b, maxShown)
	}
	return safetext.Clip(v.String(), maxShown)
}

// messageAttributes returns the attributes that differ from NOTIFY to NOTIFY.
func messageAttributes(msg *spoe.Message) []attribute.KeyValue {
	attrs := []attribute.KeyValue{
		attribute.String("spop.engine_id", safetext.Clip(msg.EngineID(), maxMethodLength)),
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

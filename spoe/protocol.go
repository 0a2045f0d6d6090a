package spoe

import (
	"bytes"
	"errors"

	"github.com/spoke-go/spoke/codec"
)

// otherProtocols are the first bytes of what comes to the port by mistake, and
// what to do about it.
var otherProtocols = []struct{ prefix, name string }{
	{"PROXY ", "a PROXY protocol header (version 1): set Agent.AcceptProxy, or take send-proxy off HAProxy's server line"},
	{"\r\n\r\n\x00\r\nQUIT\n", "a PROXY protocol header (version 2): set Agent.AcceptProxy, or take send-proxy-v2 off HAProxy's server line"},
	{"\x16\x03", "a TLS ClientHello: set Agent.TLSConfig, or take ssl off HAProxy's server line"},
	{"SSH-", "an SSH client"},
	{"PRI * HTTP/2", "an HTTP/2 request: this port speaks SPOP"},
	{"OPTIONS ", "an HTTP request, as option httpchk sends it: use option spop-check"},
	{"GET ", "an HTTP request: this port speaks SPOP"},
	{"HEAD ", "an HTTP request: this port speaks SPOP"},
	{"POST ", "an HTTP request: this port speaks SPOP"},
	{"PUT ", "an HTTP request: this port speaks SPOP"},
	{"CONNECT ", "an HTTP request: this port speaks SPOP"},
}

// explainHello replaces the error of a first frame by one that names the protocol that
// the bytes belong to, or describes the mistake in the announced length.
func (r *reader) explainHello(err error) error {
	var bad *codec.Error
	if r.buf == nil || !errors.As(err, &bad) {
		return err
	}
	b := r.buf.b[r.from:r.to]
	for _, p := range otherProtocols {
		if bytes.HasPrefix(b, []byte(p.prefix)) {
			return &codec.Error{Status: bad.Status, Reason: "not SPOP but " + p.name}
		}
	}
	if bad.Status != codec.StatusTooBig {
		return err
	}
	n, _ := codec.FrameLength(b)
	return &codec.Error{Status: bad.Status, Reason: tooBigHello(n)}
}

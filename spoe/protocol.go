package spoe

import (
	"crypto/tls"
	"errors"
	"fmt"
	"strings"

	"github.com/spoke-go/spoke/codec"
)

const httpRequest = "an HTTP request: this port speaks SPOP"

// otherProtocols are the first bytes of what comes to the port by mistake, and
// what to do about it.
var otherProtocols = []struct{ prefix, name string }{
	{"PROXY ", "a PROXY protocol header (version 1): set Agent.AcceptProxy, or take send-proxy off HAProxy's server line"},
	{"\r\n\r\n\x00\r\nQUIT\n", "a PROXY protocol header (version 2): set Agent.AcceptProxy, or take send-proxy-v2 off HAProxy's server line"},
	{"\x16\x03", "a TLS ClientHello: set Agent.TLSConfig, or take ssl off HAProxy's server line"},
	{"SSH-", "an SSH client"},
	{"PRI * HTTP/2", "an HTTP/2 request: this port speaks SPOP"},
	{"OPTIONS ", "an HTTP request, as option httpchk sends it: use option spop-check"},
	{"GET ", httpRequest},
	{"HEAD ", httpRequest},
	{"POST ", httpRequest},
	{"PUT ", httpRequest},
	{"PATCH ", httpRequest},
	{"DELETE ", httpRequest},
	{"CONNECT ", httpRequest},
	{"TRACE ", httpRequest},
}

// otherProtocol returns the protocol that b begins, or "". Of a prefix that has not come
// whole it compares what has come, four bytes at least.
func otherProtocol(b []byte) string {
	for _, p := range otherProtocols {
		if n := min(len(b), len(p.prefix)); string(b[:n]) == p.prefix[:n] {
			return p.name
		}
	}
	return ""
}

// explainHello replaces the error of a first frame by one that names the protocol that
// the bytes belong to, or describes the mistake in the announced length.
func (c *conn) explainHello(err error) error {
	var bad *codec.Error
	if c.r.buf == nil || !errors.As(err, &bad) {
		return err
	}
	b := c.r.buf.b[c.r.from:c.r.to]
	switch name := otherProtocol(b); {
	case c.agent.AcceptProxy && strings.Contains(name, "PROXY"):
		return &codec.Error{Status: bad.Status, Reason: "a second PROXY protocol header: take send-proxy off HAProxy's server line, or off the balancer"}
	case name != "":
		return &codec.Error{Status: bad.Status, Reason: "not SPOP but " + name}
	case bad.Status != codec.StatusTooBig:
		return err
	}
	n, _ := codec.FrameLength(b)
	return &codec.Error{Status: bad.Status, Reason: fmt.Sprintf(
		"the first frame announces %d bytes; a HAPROXY-HELLO has at most %d; the connection begins with %q", n, maxHello, b[:min(len(b), 16)])}
}

// explainTLS replaces the error of a TLS handshake by one that names the protocol that the
// first bytes belong to.
func explainTLS(err error) error {
	var record tls.RecordHeaderError
	if !errors.As(err, &record) {
		return err
	}
	b := record.RecordHeader[:]
	name := otherProtocol(b)
	if n, _ := codec.FrameLength(b); n <= maxHello && codec.FrameType(b[codec.LengthSize]) == codec.FrameHAProxyHello {
		name = "a HAPROXY-HELLO: add ssl to HAProxy's server line, or unset Agent.TLSConfig"
	}
	if name == "" {
		return err
	}
	return errors.New("spoe: not TLS but " + name)
}

package command_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
)

func TestAsk(t *testing.T) {
	agent := serve(t, loopback)
	body := file(t, "body", "\x00body")
	words := file(t, "words", "a b")
	for _, tt := range []struct {
		name string
		args []string
		want int
	}{
		{"score", []string{"ip-rep", "ip=192.0.2.42"}, 0},
		{"unset", []string{"ip-rep"}, 0},
		{"hello", []string{"ip-rep", "ip=2001:db8::7", "--hello", "--frame-size", "1000"}, 0},
		{"json", []string{"ip-rep", "ip=192.0.2.42", "--hello", "--json"}, 0},
		{"nothing", []string{"nobody-knows-this"}, 0},
		{"guessed", []string{"echo", "=1", "n=-7", "big=18446744073709551615", "t=true", "f=false", "null=null", "ip4=192.0.2.1", "ip6=::1", "text=a b", "empty=", "file=@" + body, "at=@@x", "float=1.5"}, 0},
		{"typed", []string{
			"echo", "s:string=1", "b:bin=ab", "h:hex=00ff", "i:int=0x10", "i32:int32=-1", "u32:uint32=1", "u64:uint64=1",
			"yes:bool=1", "ip:ip=::ffff:192.0.2.1", "n:null=", "sf:string=@" + words, "sa:string=@@x", ":int=3",
		}, 0},
		{"long", []string{"big", "size=300"}, 0},
		{"full", []string{"big", "size=300", "--full"}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := run(t, append([]string{"ask", agent}, tt.args...)...)
			assert.Equal(t, tt.want, r.status)
			assert.Empty(t, r.err)
			golden(t, "ask-"+tt.name, r.out, agent, "AGENT")
		})
	}
}

func TestAskInFragments(t *testing.T) {
	big := file(t, "big", string(make([]byte, 50_000)))
	r := run(t, "ask", serve(t, loopback), "nobody", "b=@"+big)
	require.Zero(t, r.status, r.err)
	assert.Contains(t, r.out, "no variables")
}

// bad answers with a frame of its own, whatever it is asked.
func bad(t *testing.T, answer codec.Frame) string {
	t.Helper()
	ln, err := net.Listen("tcp", loopback)
	require.NoError(t, err)
	t.Cleanup(func() { ln.Close() })
	go func() { // ends with the listener
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			b := make([]byte, 4096)
			_, _ = c.Read(b)
			h := codec.AgentHello{Version: "2.0", MaxFrameSize: 4096, Capabilities: "pipelining"}
			_, _ = c.Write(codec.AppendFrame(nil, codec.Frame{Type: codec.FrameAgentHello, Flags: codec.FlagFIN, Payload: h.Append(nil)}))
			_, _ = c.Read(b)
			_, _ = c.Write(codec.AppendFrame(nil, answer))
			_, _ = c.Read(b)
			c.Close()
		}
	}()
	return ln.Addr().String()
}

func TestAskFails(t *testing.T) {
	agent := serve(t, loopback)
	bye := codec.Disconnect{Status: codec.StatusNoResource, Message: "out of luck"}
	name := codec.AppendSetVar(nil, codec.ScopeSession, "good", codec.Int64(1))
	name = codec.AppendSetVar(name, codec.ScopeSession, "bad name", codec.Int64(1))
	big := file(t, "big", string(make([]byte, 5000)))
	for _, tt := range []struct {
		name string
		args []string
		out  string
		want string
	}{
		{"nobody listens", []string{"127.0.0.1:1", "m"}, "", "connection refused"},
		{"timeout", []string{agent, "sleep", "ms=5000", "--timeout", "50ms"}, "", "nothing for 50ms"},
		{"plain agent, TLS asked", []string{agent, "m", "--insecure"}, "", "tls: "},
		{"disconnect", []string{bad(t, codec.Frame{Type: codec.FrameAgentDisconnect, Flags: codec.FlagFIN, Payload: bye.Append(nil)}), "m"}, "", "out of luck"},
		{"name", []string{bad(t, codec.Frame{Type: codec.FrameAck, Flags: codec.FlagFIN, StreamID: 1, FrameID: 1, Payload: name}), "m"}, "sess.good = INT64 1\nsess.\"bad name\"", "bad name"},
		{"no FIN", []string{bad(t, codec.Frame{Type: codec.FrameAck, StreamID: 1, FrameID: 1}), "m"}, "no variables", "FIN"},
		{"too big", []string{bad(t, codec.Frame{}), "m", "b=@" + big}, "", "the message has 5009 bytes, the agent takes frames of 4096 and no fragments"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := run(t, append([]string{"ask"}, tt.args...)...)
			assert.Equal(t, 1, r.status)
			assert.Contains(t, r.err, tt.want)
			if tt.name != "name" {
				assert.Contains(t, r.out, tt.out)
			}
			assert.Regexp(t, `^spoectl ask: [^\n]*\n$`, r.err)
		})
	}
}

func TestAskUnix(t *testing.T) {
	for _, addr := range []string{"unix:" + filepath.Join(t.TempDir(), "s"), "unix:@spoectl-" + t.TempDir()} {
		serve(t, addr)
		r := run(t, "ask", addr, "ip-rep", "ip=192.0.2.9")
		assert.Zero(t, r.status, r.err)
		assert.Contains(t, r.out, "sess.ip_score = INT64 9\n")
	}
}

// certificate returns PEM files of a certificate for 127.0.0.1 that signs
// itself, and of its key.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &k.PublicKey, k)
	require.NoError(t, err)
	keyDER, err := x509.MarshalECPrivateKey(k)
	require.NoError(t, err)
	return file(t, "cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))),
		file(t, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER})))
}

// serveTLS runs an agent that wants a client's certificate, by the same
// authority.
func serveTLS(t *testing.T) (agent, cert, key string) {
	t.Helper()
	cert, key = certificate(t)
	conf, err := spoe.LoadTLS(cert, key, cert)
	require.NoError(t, err)
	ln, err := spoe.Listen(loopback)
	require.NoError(t, err)
	return serveOn(t, &spoe.Agent{Handler: spoe.HandlerFunc(ipRep)}, tls.NewListener(ln, conf)), cert, key
}

func TestAskTLS(t *testing.T) {
	agent, cert, key := serveTLS(t)
	r := run(t, "ask", agent, "ip-rep", "ip=192.0.2.9", "--ca", cert, "--cert", cert, "--key", key)
	require.Zero(t, r.status, r.err)
	assert.Contains(t, r.out, "INT64 9")
	r = run(t, "ask", agent, "ip-rep", "--tls")
	assert.Equal(t, 1, r.status)
	assert.Contains(t, r.err, "certificate")
	r = run(t, "ask", agent, "ip-rep", "--insecure")
	assert.Equal(t, 1, r.status, "the agent wants a certificate")
	r = run(t, "ask", agent, "ip-rep", "--insecure", "--cert", cert, "--key", key)
	assert.Zero(t, r.status, r.err)
}

func TestAskIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	r := runWith(ctx, nil, "ask", serve(t, loopback), "sleep", "ms=4000")
	assert.Equal(t, 1, r.status)
}

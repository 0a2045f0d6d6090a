package command

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// target is an agent as the command line names it.
type target struct {
	network, addr    string // as net.Dial takes them
	name             string // as it was written, which spoetest.Dialer takes
	useTLS, insecure bool
	ca, cert, key    string
	serverName       string
	timeout          time.Duration
	tls              *tls.Config // set by parse
}

func (t *target) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&t.useTLS, "tls", false, "speak TLS with the agent; --ca, --cert, --server-name and --insecure imply it")
	f.StringVar(&t.ca, "ca", "", "trust the authorities in this PEM `file` rather than the system's")
	f.StringVar(&t.cert, "cert", "", "show the agent the certificate in this PEM `file`")
	f.StringVar(&t.key, "key", "", "the certificate's key, a PEM `file`; default: in the file of --cert")
	f.StringVar(&t.serverName, "server-name", "", "the `name` that the agent's certificate must have; default: the host of its address")
	f.BoolVar(&t.insecure, "insecure", false, "take any certificate")
	for _, name := range []string{"ca", "cert", "key"} {
		_ = cmd.MarkFlagFilename(name, "pem", "crt", "key") // it is there
	}
}

func (t *target) timeoutFlag(cmd *cobra.Command) {
	cmd.Flags().DurationVar(&t.timeout, "timeout", 5*time.Second, "wait for the agent for this long, at each step")
}

// parse reads the address and the TLS flags.
func (t *target) parse(addr string) error {
	t.name = addr
	var err error
	if t.network, t.addr, err = spoe.ParseAddr(addr); err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "spoe: "))
	}
	if t.network == "fd" {
		return fmt.Errorf("address %q is for an agent that listens: name one to connect to", addr)
	}
	return t.parseTLS()
}

func (t *target) parseTLS() error {
	if !t.useTLS && !t.insecure && t.ca == "" && t.cert == "" && t.key == "" && t.serverName == "" {
		return nil
	}
	t.tls = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.serverName, InsecureSkipVerify: t.insecure} //nolint:gosec // asked for
	if t.ca != "" {
		pem, err := os.ReadFile(t.ca)
		if err != nil {
			return fmt.Errorf("--ca: %w", err)
		}
		t.tls.RootCAs = x509.NewCertPool()
		if !t.tls.RootCAs.AppendCertsFromPEM(pem) {
			return fmt.Errorf("--ca: %s holds no PEM certificate", t.ca)
		}
	}
	switch {
	case t.cert == "" && t.key != "":
		return errors.New("--key without --cert")
	case t.cert != "":
		key := t.key
		if key == "" {
			key = t.cert
		}
		pair, err := tls.LoadX509KeyPair(t.cert, key)
		if err != nil {
			return fmt.Errorf("--cert %s with --key %s: %w", t.cert, key, err)
		}
		t.tls.Certificates = []tls.Certificate{pair}
	}
	return nil
}

func (t *target) dialer(hello *spoetest.Hello) *spoetest.Dialer {
	return &spoetest.Dialer{Hello: hello, TLS: t.tls, Timeout: t.timeout}
}

// dial connects and sends nothing.
func (t *target) dial(ctx context.Context) (net.Conn, error) {
	c, err := t.dialer(nil).Connect(ctx, "", t.name)
	if err != nil {
		return nil, err
	}
	return c.Conn(), nil
}

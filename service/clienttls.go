package service

import (
	"context"
	"crypto/tls"
	"fmt"
)

// ClientTLS are settings for TLS connections that an agent opens, to a database or another
// site. A settings struct has it as a field with the tag conf:",inline".
type ClientTLS struct {
	CA   string `value:"FILE" help:"PEM file with the authorities for the server's certificate; without it those of the system. Files of TLS are read again when they change"`
	Cert string `value:"FILE" help:"PEM file with a certificate, for a server that asks its clients for one"`
	Key  string `value:"FILE" help:"PEM file with the certificate's key"`
}

// Validate checks the settings against each other.
func (c ClientTLS) Validate() error {
	if (c.Cert == "") != (c.Key == "") {
		return Wrong("cert", "and key belong together: write both")
	}
	return nil
}

// Load reads the files.
func (c ClientTLS) Load() (*tls.Config, error) {
	roots, err := CertPool(c.CA)
	if err != nil {
		return nil, fmt.Errorf("ca: %w", err)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
	if c.Cert != "" {
		config.Certificates = make([]tls.Certificate, 1)
		if config.Certificates[0], err = tls.LoadX509KeyPair(c.Cert, c.Key); err != nil {
			return nil, fmt.Errorf("cert %s with key %s: %w: name PEM files that belong together", c.Cert, c.Key, err)
		}
	}
	return config, nil
}

// Files returns the files of the settings, for [Setup.Watch].
func (c ClientTLS) Files() []string { return []string{c.CA, c.Cert, c.Key} }

// DeriveTLS is Derive with ClientTLS.Load, and watches the files. A client should call Load
// of the result whenever it connects.
func (s *Setup[C]) DeriveTLS(settings func(*C) ClientTLS) (*Derived[*tls.Config], error) {
	s.Watch(func(c *C) []string { return settings(c).Files() })
	return s.Derive(func(_ context.Context, c *C) (*tls.Config, error) { return settings(c).Load() })
}

package spoe

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// LoadTLS returns a configuration for Agent.TLSConfig from PEM files: the
// agent's certificate and its key and, if clientCAFile is not empty, the
// authorities whose clients may connect; HAProxy then needs `crt` on its server
// line.
func LoadTLS(certFile, keyFile, clientCAFile string) (*tls.Config, error) {
	switch {
	case certFile == "":
		return nil, errors.New("spoe: TLS without a certificate: name its PEM file")
	case keyFile == "":
		return nil, fmt.Errorf("spoe: TLS certificate %s without its key: name the key's PEM file", certFile)
	}
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("spoe: TLS certificate %s with key %s: %w", certFile, keyFile, err)
	}
	cfg := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	if clientCAFile == "" {
		return cfg, nil
	}
	pem, err := os.ReadFile(clientCAFile)
	if err != nil {
		return nil, fmt.Errorf("spoe: TLS client authorities: %w", err)
	}
	cfg.ClientCAs, cfg.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
	if !cfg.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("spoe: TLS client authorities: %s holds no PEM certificate", clientCAFile)
	}
	return cfg, nil
}

// checkTLS finds a configuration with which every handshake would fail.
func checkTLS(cfg *tls.Config) error {
	if len(cfg.Certificates) == 0 && cfg.GetCertificate == nil && cfg.GetConfigForClient == nil {
		return errors.New("spoe: Agent.TLSConfig has no certificate: see spoe.LoadTLS")
	}
	for i, c := range cfg.Certificates {
		if c.PrivateKey == nil {
			return fmt.Errorf("spoe: certificate %d of Agent.TLSConfig has no private key: see spoe.LoadTLS", i)
		}
	}
	return nil
}

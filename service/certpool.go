package service

import (
	"crypto/x509"
	"fmt"
	"os"
)

// CertPool returns the authorities in a PEM file, for a client's tls.Config.RootCAs. For an
// empty name it returns nil, which means the system's authorities.
func CertPool(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%w: name a PEM file with the authorities", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s has no certificate in PEM: write the name of a file with one", file)
	}
	return pool, nil
}

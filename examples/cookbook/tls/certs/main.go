// Command certs makes certificates to try the recipe: an authority, and certificates
// that it signs for the agent and for HAProxy. They are valid for a day.
package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"flag"
	"log"
	"os"
	"path/filepath"
	"time"
)

func main() {
	dir := flag.String("dir", ".", "the `folder` to write to")
	flag.Parse()
	if err := write(*dir); err != nil {
		log.Fatal(err)
	}
}

func write(dir string) error {
	ca := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "an authority for a day"},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	caKey, caPEM, _, err := sign(ca, ca, nil)
	if err != nil {
		return err
	}
	_, agentPEM, agentKey, err := sign(leaf("agent.example", x509.ExtKeyUsageServerAuth), ca, caKey)
	if err != nil {
		return err
	}
	_, haproxyPEM, haproxyKey, err := sign(leaf("haproxy.example", x509.ExtKeyUsageClientAuth), ca, caKey)
	if err != nil {
		return err
	}
	for name, text := range map[string][]byte{
		"ca.pem":      caPEM,
		"agent.pem":   agentPEM,
		"agent.key":   agentKey,
		"haproxy.pem": append(haproxyPEM, haproxyKey...), // HAProxy wants both in one file
	} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func leaf(host string, usage x509.ExtKeyUsage) *x509.Certificate {
	return &x509.Certificate{
		Subject:     pkix.Name{CommonName: host},
		DNSNames:    []string{host},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{usage},
	}
}

// sign makes a key and its certificate, signed by a parent or, without the
// parent's key, by itself.
func sign(cert, parent *x509.Certificate, parentKey crypto.Signer) (key crypto.Signer, certPEM, keyPEM []byte, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, nil, err
	}
	if parentKey == nil {
		parentKey = private
	}
	cert.NotBefore, cert.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, cert, parent, private.Public(), parentKey)
	if err != nil {
		return nil, nil, nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, nil, nil, err
	}
	certPEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
	return private, certPEM, keyPEM, nil
}

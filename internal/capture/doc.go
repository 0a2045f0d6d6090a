// Package capture lets real HAProxys talk to a Spoke agent through a proxy that records
// both sides. It compares the bytes on the wire with their meaning: the configuration's
// sample expressions, the request, and the variables that the agent's handler set. It is a
// test.
//
//	go test ./internal/capture           # checks every HAProxy that there is
//	go test ./internal/capture -write    # and writes codec/testdata/golden
//
// It writes the files of the versions that it finds: `make haproxy` gets them all. Package
// internal/golden tells the format.
package capture

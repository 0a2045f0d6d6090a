// Package capture has real HAProxys talk to a Spoke agent through a proxy that
// writes down both sides, and holds what went over the wire against what was
// meant: what the configuration's sample expressions and the request say, and
// what the agent's handler set. It is a test.
//
//	go test ./internal/capture           # checks every HAProxy that there is
//	go test ./internal/capture -write    # and makes codec/testdata/golden anew
//
// It writes the files of those versions only that it finds: `make haproxy` gets
// them all. Package internal/golden tells the format.
package capture

package main

import (
	"io"
	"log/slog"

	"github.com/spoke-go/spoke/haproxy"
	"github.com/spoke-go/spoke/middleware"
)

//go:generate sh -c "go run . -print-config=spoe > spoe.conf"
//go:generate sh -c "go run . -print-config=backend > agents.cfg"

// half is what HAProxy's side of the configuration has to know besides the
// routes. The address is for the environment to say, as those in haproxy.cfg.
var half = haproxy.Config{
	Engine: "ip-reputation",
	Prefix: "iprep",
	Agents: []string{`"${IPREP_AGENT-127.0.0.1:9000}"`},
}

// printHalf does what -print-config, -print-routes and -check-config ask for;
// done is false where none of them was given.
func printHalf(c config, out io.Writer) (done bool, err error) {
	// The routes are those of an agent that serves, though nobody will be asked.
	r := newRouter(&decider{log: slog.New(slog.DiscardHandler)}, middleware.Default(c.timeout))
	return c.half.Run(out, r, half)
}

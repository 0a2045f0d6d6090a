package middleware_test

import (
	"context"
	"fmt"

	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// ask runs an agent, asks it as HAProxy would, one message after the other, and
// prints the variables that each answer sets.
func ask(agent *spoe.Agent, messages ...string) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ln := spoetest.NewListener()
	ended := make(chan error, 1)
	go func() { ended <- agent.Run(ctx, ln) }() // ends with ctx, awaited below
	conn, err := ln.DialContext(ctx)
	if err != nil {
		panic(err)
	}
	haproxy := spoetest.NewClient(conn, 0)
	if _, err := haproxy.Handshake(ctx, spoetest.DefaultHello()); err != nil {
		panic(err)
	}
	for _, message := range messages {
		vars, err := haproxy.Ask(ctx, message, spoetest.Arg("ip", "192.0.2.1"))
		if err != nil {
			panic(err)
		}
		if text := vars.String(); text != "" {
			fmt.Printf("%s: %s\n", message, text)
		} else {
			fmt.Printf("%s:\n", message)
		}
	}
	haproxy.Close()
	cancel()
	if err := <-ended; err != nil {
		panic(err)
	}
}

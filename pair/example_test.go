package pair_test

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/spoke-go/spoke/pair"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// A transaction is the agent's memory of a request.
type transaction struct{ path string }

type request struct {
	Path string `spoe:"path" fetch:"path"`
}

type verdict struct {
	Tx string `spoe:"tx"` // sets txn.waf.tx, with a var-prefix of waf
}

type response struct {
	Tx     string `spoe:"tx" fetch:"var(txn.waf.tx)"`
	Status int    `spoe:"status" fetch:"status"`
}

type judgement struct {
	Leak bool `spoe:"leak"`
}

// A request's transaction is kept for its response.
func Example() {
	transactions := pair.New(pair.Config[*transaction]{
		TTL:     time.Minute,
		Evicted: func(tx *transaction, r pair.Reason) { fmt.Println("no response to", tx.path+":", r) },
	})

	r := router.New()
	r.Handle("check-request", func(_ context.Context, in request) (verdict, error) {
		return verdict{Tx: transactions.Put(&transaction{path: in.Path})}, nil
	}).Event(router.OnFrontendHTTPRequest)
	r.Handle("check-response", func(_ context.Context, in response) (judgement, error) {
		tx, ok := transactions.Take(in.Tx)
		if !ok {
			return judgement{}, fmt.Errorf("no request is known for this response")
		}
		fmt.Println("response to", tx.path+":", in.Status)
		return judgement{Leak: in.Status >= 500}, nil
	}).Event(router.OnHTTPResponse)

	haproxy(r, func(ask func(message string, args ...spoetest.Argument) spoetest.Vars) {
		first := ask("check-request", spoetest.Arg("path", "/a"))
		ask("check-request", spoetest.Arg("path", "/b")) // its client goes away
		second := ask("check-response", spoetest.Arg("tx", first.Str("txn.tx")), spoetest.Arg("status", 500))
		fmt.Println(second)
	})
	transactions.Close() // when the agent ends
	// Output:
	// response to /a: 500
	// txn.leak=true
	// no response to /b: shut down
}

// haproxy runs an agent, and f as the HAProxy in front of it.
func haproxy(h spoe.Handler, f func(ask func(string, ...spoetest.Argument) spoetest.Vars)) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ln := spoetest.NewListener()
	ended := make(chan error, 1)
	go func() { ended <- (&spoe.Agent{Handler: h, Logger: slog.New(slog.DiscardHandler)}).Run(ctx, ln) }() // ends with ctx, awaited below
	conn, err := ln.DialContext(ctx)
	must(err)
	client := spoetest.NewClient(conn, 0)
	_, err = client.Handshake(ctx, spoetest.DefaultHello())
	must(err)
	f(func(message string, args ...spoetest.Argument) spoetest.Vars {
		vars, err := client.Ask(ctx, message, args...)
		must(err)
		return vars
	})
	client.Close()
	cancel()
	must(<-ended)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

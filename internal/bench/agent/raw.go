package main

import (
	"context"
	"errors"
	"time"

	"github.com/spoke-go/spoke/spoe"
)

// rawHandlers do the work of the typed ones without structs.
func rawHandlers(sleep time.Duration) map[string]spoe.Handler {
	handlers := map[string]spoe.HandlerFunc{
		"ip-rep": rawRate, "check-request": rawCheck, "echo": rawEcho,
	}
	m := make(map[string]spoe.Handler, len(handlers))
	for name, h := range handlers {
		m[name] = h
		if sleep > 0 {
			m[name] = spoe.HandlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
				time.Sleep(sleep)
				return h(ctx, msg, acts)
			})
		}
	}
	return m
}

func rawRate(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
	v, _ := msg.Args.Lookup("ip")
	ip, ok := v.Addr()
	if !ok {
		return errors.New("no ip")
	}
	return acts.SetInt(spoe.VarScopeSession, "ip_score", int64(lastByte(ip)))
}

func rawCheck(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
	action, score := "allow", -1
	for name, v := range msg.Args.Raw().Scan() {
		ok := true
		switch string(name) {
		case "method":
			ok = string(v.Bytes()) == "GET"
		case "path", "host", "ua":
			ok = len(v.Bytes()) > 0
		case "traceparent":
			ok = len(v.Bytes()) == 55
		case "src":
			ip, _ := v.Addr()
			score = lastByte(ip)
		case "port":
			n, _ := v.Int()
			ok = n > 1023
		case "length":
			n, _ := v.Int()
			ok = n > 0
		case "ssl":
			ok, _ = v.Bool()
		}
		if !ok {
			action = "deny"
		}
	}
	if err := acts.SetInt(spoe.VarScopeTransaction, "score", int64(score)); err != nil {
		return err
	}
	return acts.SetString(spoe.VarScopeTransaction, "action", action)
}

func rawEcho(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
	v, _ := msg.Args.Lookup("data")
	return acts.SetValue(spoe.VarScopeTransaction, "echo", v)
}

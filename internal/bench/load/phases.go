package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"os"

	"github.com/spoke-go/spoke/cmd/spoectl/load"
	"github.com/spoke-go/spoke/internal/bench/internal/report"
)

// idle leaves connections alone; the runner says when the next phase begins.
func idle(ctx context.Context, c config) error {
	return load.Idle(ctx, c.Config, func(phase string) error {
		if err := print(phase); err != nil || phase == "closed" {
			return err
		}
		return next()
	})
}

// slow is a crowd of slow clients; the runner says when they begin.
func slow(ctx context.Context, c config) error {
	crowd, err := load.Slow(ctx, c.Config, c.rate, func() error {
		if err := print("open"); err != nil {
			return err
		}
		return next()
	})
	if err != nil {
		return err
	}
	return print(report.Slow(crowd))
}

// print tells the runner something, as one line of JSON.
func print(v any) error { return json.NewEncoder(os.Stdout).Encode(v) }

var input = bufio.NewScanner(os.Stdin)

// next waits for the runner's word to go on.
func next() error {
	if !input.Scan() {
		return errors.New("the runner has gone")
	}
	return nil
}

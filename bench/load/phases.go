package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
)

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

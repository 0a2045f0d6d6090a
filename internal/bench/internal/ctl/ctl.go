// Package ctl is how the runner talks to a server it started: over the
// server's standard input and output, so that no port, signal or HTTP server
// disturbs what is measured.
//
// The server prints one line of JSON with its addresses when it listens. Each
// line that it then reads is a question, answered by one line of JSON: "stats"
// by Stats, "release" by Stats after unused memory went back to the system.
// The end of its input ends it, so that no server survives the runner.
package ctl

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"sync/atomic"
)

// Hello is the server's first line.
type Hello struct {
	Addr string `json:"addr"`
	Page string `json:"page,omitempty"` // the URL of the page of package inspect
}

// Stats is the state of a server, by its own account.
type Stats struct {
	Goroutines int    `json:"goroutines"`
	Mallocs    uint64 `json:"mallocs"`
	HeapBytes  uint64 `json:"heap_bytes"`
	StackBytes uint64 `json:"stack_bytes"`
	GCs        uint32 `json:"gcs"`
	Count      uint64 `json:"count"` // of package ctl
}

// Count is for a server that counts something by itself.
var Count atomic.Uint64

// Serve tells the runner the addresses, then answers its questions until in
// ends.
func Serve(in io.Reader, out io.Writer, hello Hello) error {
	enc := json.NewEncoder(out)
	if err := enc.Encode(hello); err != nil {
		return err
	}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		switch q := lines.Text(); q {
		case "stats":
		case "release":
			debug.FreeOSMemory()
		default:
			return fmt.Errorf("question %q is neither stats nor release", q)
		}
		if err := enc.Encode(read()); err != nil {
			return err
		}
	}
	return lines.Err()
}

func read() Stats {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return Stats{
		Goroutines: runtime.NumGoroutine(),
		Mallocs:    m.Mallocs,
		HeapBytes:  m.HeapAlloc,
		StackBytes: m.StackInuse,
		GCs:        m.NumGC,
		Count:      Count.Load(),
	}
}

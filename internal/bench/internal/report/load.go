// Package report has the measurements, and shows them.
package report

import "time"

// Load is the output of the generator at the end of a pipelined run. Durations
// are in nanoseconds.
type Load struct {
	Notifies  uint64        `json:"notifies"` // answered within the window
	All       uint64        `json:"all"`      // answered in the whole run
	Wall      time.Duration `json:"wall"`
	ServerCPU time.Duration `json:"server_cpu"`
	LoadCPU   time.Duration `json:"load_cpu"`
	P50       time.Duration `json:"p50"`
	P99       time.Duration `json:"p99"`
	P999      time.Duration `json:"p999"`
	// QuickP99 is the p99 of the others where one NOTIFY in 16 takes far longer.
	QuickP99   time.Duration `json:"quick_p99"`
	MaxLatency time.Duration `json:"max"`
}

// PerNotify is the server's CPU time for one NOTIFY, in nanoseconds.
func (l Load) PerNotify() float64 { return float64(l.ServerCPU) / float64(l.Notifies) }

// Rate is NOTIFYs a second.
func (l Load) Rate() float64 { return float64(l.Notifies) / l.Wall.Seconds() }

// Slow is the output of the generator about slow clients.
type Slow struct {
	Acks     uint64        `json:"acks"`
	Sent     uint64        `json:"sent"`     // bytes
	Received uint64        `json:"received"` // bytes
	Wall     time.Duration `json:"wall"`
}

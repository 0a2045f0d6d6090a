package main_test

import (
	"bytes"
	"log/slog"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"

	main "github.com/spoke-go/spoke/examples/ip-reputation"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// decisions are the expected decisions by the sample lists: in memory here, through
// HAProxy in haproxy_test.go. They are the README's table.
var decisions = []struct {
	name, addr string
	score      int
	list       string // "" for none
	status     int    // of the shipped haproxy.cfg
}{
	{"on no list", "198.51.100.200", 100, "", 200},
	{"on the block list", "192.0.2.66", 0, "blocklist", 403},
	{"on the allow list, inside the block list's network", "192.0.2.10", 100, "allow", 200},
	{"on the list in JSON", "198.51.100.7", 0, "drop", 403},
	{"a Tor exit, more specific than the network of suspects", "203.0.113.9", 20, "tor", 403},
	{"in a network of suspects", "203.0.113.10", 50, "suspects", 200},
	{"IPv6 on the block list", "2001:db8:bad::1", 0, "blocklist", 403},
	{"IPv6 on the allow list", "2001:db8:bad::10", 100, "allow", 200},
	{"IPv6 on the list in JSON", "2001:db8:dead::1", 0, "drop", 403},
	{"IPv6 on no list", "2001:db8:1::1", 100, "", 200},
	{"IPv4-mapped IPv6", "::ffff:192.0.2.66", 0, "blocklist", 403},
}

func TestDecisions(t *testing.T) {
	var log bytes.Buffer
	handler := main.NewHandler(t, slog.New(slog.NewTextHandler(&log, nil)), slog.LevelInfo)
	haproxy := spoetest.New(t, handler)
	for _, tt := range decisions {
		t.Run(tt.name, func(t *testing.T) {
			got := haproxy.Ask("ip-rep", spoetest.Arg("ip", netip.MustParseAddr(tt.addr)))
			assert.EqualValues(t, tt.score, got.Int("sess.ip_score"))
			if tt.list == "" {
				assert.True(t, got.Unset("sess.ip_list"), "what a session knows of an earlier address must go")
			} else {
				assert.Equal(t, tt.list, got.Str("sess.ip_list"))
			}
		})
	}
}

// Without an address there is no verdict at all, rather than one on an unknown client.
func TestNoAddress(t *testing.T) {
	haproxy := spoetest.New(t, main.NewHandler(t, slog.New(slog.DiscardHandler), slog.LevelDebug))
	assert.Empty(t, haproxy.Ask("ip-rep").Actions())
	assert.Empty(t, haproxy.Ask("ip-rep", spoetest.Arg("ip", nil)).Actions())
}

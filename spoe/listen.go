package spoe

import (
	"net"

	"github.com/spoke-go/spoke/spoe/internal/listen"
)

// ParseAddr reads an address as HAProxy's bind and server lines have it, and
// returns what net.Listen and net.Dial take. Network is tcp, tcp4, tcp6, unix, or
// fd with the number of a file descriptor as address.
//
//	127.0.0.1:9000, [::1]:9000, localhost:9000, :9000, *:9000
//	ipv4@127.0.0.1:9000, ipv6@[::1]:9000, ipv6@::1:9000
//	ip@127.0.0.1:9000, and tcp@, tcp4@, tcp6@, mptcp@, mptcp4@, mptcp6@
//	unix:/run/agent.sock, unix@/run/agent.sock, /run/agent.sock   a unix socket; uxst@ as well
//	unix:@agent, unix@@agent, abns@agent                          an abstract one, its name filled up with NULs
//	abnsz@agent                                                   an abstract one, its name as it is (HAProxy 3.1)
//	fd:3, fd@3                                                    an inherited file descriptor
//
// "stream+" before any of them changes nothing.
func ParseAddr(addr string) (network, address string, err error) { return listen.ParseAddr(addr) }

// Listen listens on an address as HAProxy's server line has it; [ParseAddr] lists
// the forms.
//
// Listen replaces a unix socket file on which no process listens, such as a killed process
// leaves behind. The listener removes its file when it closes.
func Listen(addr string) (net.Listener, error) { return listen.Listen(addr) }

// InheritedListeners returns the listeners that systemd passes to a service by
// socket activation (LISTEN_PID, LISTEN_FDS), in the order of its unit; none if
// it passed none.
func InheritedListeners() ([]net.Listener, error) { return listen.Inherited() }

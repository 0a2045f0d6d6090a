package service

import (
	"cmp"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/spoke-go/spoke/service/internal/admin"
)

// Settings are the settings that every agent has in addition to its own.
type Settings struct {
	Listen          []string       `conf:",fixed" group:"SPOE" value:"ADDRESS" help:"address to listen on: host:port, :port, unix:/path/to/socket, unix:@abstract, or systemd for the sockets that systemd passes; may be repeated"`
	SocketMode      FileMode       `conf:",fixed" value:"MODE" help:"mode of unix sockets, such as 0660"`
	SocketGroup     string         `conf:",fixed" value:"GROUP" help:"group of unix sockets, a name or a number"`
	AllowFrom       []netip.Prefix `conf:",fixed" value:"NETWORK" help:"networks that may connect over TCP, such as 10.0.0.0/8; default: all"`
	AcceptProxy     bool           `conf:",fixed" help:"take the peer from the PROXY header that a TCP balancer sends; needs -allow-from with the balancers"`
	TLSCert         string         `value:"FILE" help:"PEM file with the certificate for TLS on TCP addresses; a changed file is loaded"`
	TLSKey          string         `value:"FILE" help:"PEM file with the certificate's key"`
	TLSClientCA     string         `value:"FILE" help:"PEM file with the authorities whose clients may connect; default: all clients"`
	AgentCheck      string         `conf:",fixed" value:"ADDRESS" help:"host:port at which HAProxy's agent-check is answered, which moves traffic away before a shutdown; default: none"`
	Timeout         time.Duration  `conf:",fixed" min:"1ms" max:"1h" help:"deadline of an answer; HAProxy's timeout processing must be longer"`
	ShutdownTimeout time.Duration  `conf:",fixed" min:"1ms" max:"1h" help:"longest time of a graceful shutdown"`

	AdminListen string `conf:",fixed" group:"Admin (/metrics, /healthz, /readyz)" value:"ADDRESS" help:"host:port, or off"`
	AdminToken  Secret `conf:",fixed" value:"TOKEN" help:"token that clients must send as a bearer token or as a password, except to /healthz and /readyz; file:/path reads it from a file. Required for an address other than loopback"`
	AdminPprof  bool   `conf:",fixed" help:"add profiles, /debug/pprof"`

	AdminNoInspect bool `conf:",fixed" help:"leave out the live page of messages, connections and routes, /inspect/"`

	HAProxyConfig []string `conf:"haproxy-config,fixed" value:"FILE" help:"HAProxy's configuration, which the page checks against the agent; one for each of HAProxy's -f options"`

	LogLevel  slog.Level `group:"Logs (on standard error)" value:"LEVEL" oneof:"debug,info,warn,error" help:"lowest level to log"`
	LogFormat string     `conf:",fixed" value:"FORMAT" oneof:"text,json" help:"format of a line"`
}

func (s Settings) withDefaults() Settings {
	if s.Listen == nil {
		s.Listen = []string{"127.0.0.1:9000"}
	}
	s.Timeout = cmp.Or(s.Timeout, 100*time.Millisecond)
	s.ShutdownTimeout = cmp.Or(s.ShutdownTimeout, 10*time.Second)
	s.AdminListen = cmp.Or(s.AdminListen, "127.0.0.1:6060")
	s.LogFormat = cmp.Or(s.LogFormat, "text")
	return s
}

// Validate checks the settings against each other.
func (s Settings) Validate() error {
	switch {
	case len(s.Listen) == 0:
		return Wrong("listen", "is empty: write an address, such as 127.0.0.1:9000")
	case s.TLSCert == "" && s.TLSKey != "":
		return Wrong("tls-key", "is set without tls-cert: write tls-cert, too")
	case s.TLSCert != "" && s.TLSKey == "":
		return Wrong("tls-cert", "is set without tls-key: write tls-key, too")
	case s.TLSCert == "" && s.TLSClientCA != "":
		return Wrong("tls-client-ca", "is set without tls-cert: write tls-cert and tls-key, too")
	case s.AdminListen != "off" && s.AdminToken.Reveal() == "" && !admin.IsLoopback(s.AdminListen):
		return Wrong("admin-listen", "%q is not a loopback address: write 127.0.0.1:6060, or set admin-token, too", s.AdminListen)
	}
	if _, _, err := net.SplitHostPort(s.AgentCheck); err != nil && s.AgentCheck != "" {
		return Wrong("agent-check", "%q is not an address: write host:port, such as 127.0.0.1:9001", s.AgentCheck)
	}
	for i, addr := range s.Listen {
		if err := checkAddress(addr); err != nil {
			return Wrong("listen["+strconv.Itoa(i)+"]", "%v", err)
		}
	}
	return nil
}

package service

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"strconv"
	"strings"

	"github.com/spoke-go/spoke/spoe"
)

// fromSystemd is the address that stands for the sockets that systemd passes.
const fromSystemd = "systemd"

func checkAddress(addr string) error {
	if addr == fromSystemd {
		return nil
	}
	network, address, err := spoe.ParseAddr(addr)
	if err == nil && isTCP(network) {
		var port string
		if _, port, err = net.SplitHostPort(address); err == nil {
			_, err = net.LookupPort("tcp", port)
		}
	}
	if err != nil {
		return fmt.Errorf("%q is not an address: write 127.0.0.1:9000, :9000, unix:/path/to/socket, unix:@name or systemd", addr)
	}
	return nil
}

// isTCP reports whether a network of spoe.ParseAddr is TCP.
func isTCP(network string) bool { return strings.HasPrefix(network, "tcp") }

// listen opens all addresses. TCP addresses speak TLS if getTLS, which returns the
// current configuration, is not nil.
func (s *Settings) listen(getTLS func() *tls.Config) (lns []net.Listener, err error) {
	defer func() {
		if err != nil {
			for _, ln := range lns {
				ln.Close()
			}
		}
	}()
	for _, addr := range s.Listen {
		opened, err := s.listenOn(addr)
		lns = append(lns, opened...)
		if err != nil {
			return lns, err
		}
	}
	if getTLS == nil {
		return lns, nil
	}
	for i, ln := range lns {
		if ln.Addr().Network() == "tcp" {
			lns[i] = tls.NewListener(ln, &tls.Config{
				GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return getTLS(), nil },
			})
		}
	}
	return lns, nil
}

func (s *Settings) listenOn(addr string) ([]net.Listener, error) {
	if addr == fromSystemd {
		lns, err := spoe.InheritedListeners()
		if err == nil && len(lns) == 0 {
			err = errors.New("systemd has passed no socket: start the program by a .socket unit, or give -listen another address")
		}
		return lns, err
	}
	ln, err := spoe.Listen(addr)
	if err != nil {
		return nil, fmt.Errorf("%w (-listen sets the address)", err)
	}
	network, path, _ := spoe.ParseAddr(addr) // Listen has read it
	if network == "unix" && !strings.HasPrefix(path, "@") {
		err = s.permit(path)
	}
	return []net.Listener{ln}, err
}

// permit sets the mode and group of a socket file to those of the settings.
func (s *Settings) permit(path string) error {
	if s.SocketGroup != "" {
		gid, err := strconv.Atoi(s.SocketGroup)
		if err != nil {
			group, err := user.LookupGroup(s.SocketGroup)
			if err != nil {
				return fmt.Errorf("%w (-socket-group sets the group)", err)
			}
			gid, _ = strconv.Atoi(group.Gid)
		}
		if err := os.Chown(path, -1, gid); err != nil {
			return fmt.Errorf("%w (-socket-group sets the group, of which the agent's user must be a member)", err)
		}
	}
	if s.SocketMode == 0 {
		return nil
	}
	return os.Chmod(path, os.FileMode(s.SocketMode))
}

// serverAddress returns an address of -listen in the form of HAProxy's server line, or
// "" if it is unknown.
func serverAddress(addr string) string {
	network, address, err := spoe.ParseAddr(addr)
	name, isAbstract := strings.CutPrefix(address, "@")
	switch {
	case err != nil:
		return ""
	case strings.HasPrefix(addr, "abnsz@"):
		return addr
	case isAbstract:
		return "abns@" + strings.TrimRight(name, "\x00")
	case network == "unix":
		return "unix@" + address
	}
	host, port, err := net.SplitHostPort(address)
	switch {
	case err != nil || port == "0":
		return ""
	case host == "" && network == "tcp6":
		host = "::1"
	case host == "" || host == "0.0.0.0" || host == "::":
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

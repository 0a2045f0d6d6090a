// Package service turns a router into a daemon: configuration and its reload,
// listeners, logs, traces and metrics, an admin address, signals, systemd.
//
//	package main
//
//	import (
//		"context"
//		"net/netip"
//
//		"github.com/spoke-go/spoke/router"
//		"github.com/spoke-go/spoke/service"
//	)
//
//	type Config struct {
//		Blocked []netip.Prefix `help:"networks that get no access" value:"NETWORK"`
//	}
//
//	type Question struct {
//		IP netip.Addr `spoe:"ip,required" fetch:"src"`
//	}
//
//	type Verdict struct {
//		Blocked bool `spoe:"blocked"` // txn.gate.blocked
//	}
//
//	func main() {
//		service.Main(service.Agent[Config]{
//			Name:  "gate",
//			About: "gate tells HAProxy which clients are blocked.",
//			Setup: func(ctx context.Context, s *service.Setup[Config]) error {
//				s.Router.Handle("check", func(ctx context.Context, q Question) (Verdict, error) {
//					for _, network := range s.Config().Blocked {
//						if network.Contains(q.IP) {
//							return Verdict{Blocked: true}, nil
//						}
//					}
//					return Verdict{}, nil
//				}).Event(router.OnFrontendHTTPRequest)
//				return nil
//			},
//		})
//	}
//
// # Configuration
//
// The fields of the agent's own struct and those of [Settings] are settings. The field
// Blocked is the line "blocked: 192.0.2.0/24" in the file that -config names,
// GATE_BLOCKED in the environment and -blocked on the command line. The command line
// takes precedence over the environment, and the environment over the file.
// docs/service.md has the tags; [Agent.Defaults] has the defaults.
//
// # Reload
//
// SIGHUP and a change of the file make the program read its configuration again. Every
// [Setup.Derive] then makes its value from it. If all of them succeed, the new
// configuration and values replace the old ones at once; otherwise the old ones stay,
// and log and metrics report it. The router is never rebuilt, connections stay open,
// and no request waits.
//
// # Life
//
// Telemetry starts first, then the admin address, where /readyz fails. Setup runs, for
// as long as it needs. Then the program listens and reports to /readyz and systemd that
// it is ready. SIGTERM and SIGINT end it: /readyz fails at once, the agent drains its
// connections (see [spoe.Agent.Shutdown]), background work ends, and the last telemetry
// is sent.
package service

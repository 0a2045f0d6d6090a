package haproxy_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/spoke-go/spoke/haproxy"
	"github.com/spoke-go/spoke/router"
)

type question struct {
	IP netip.Addr `spoe:"ip,required" fetch:"src"`
}

type answer struct {
	Score int `spoe:"score"`
}

func score(context.Context, question) (answer, error) { return answer{100}, nil }

func newRouter() *router.Router {
	r := router.New()
	r.Use(within(50 * time.Millisecond))
	r.Handle("ip-rep", score).Event(router.OnFrontendHTTPRequest)
	return r
}

func ExampleWrite() {
	files, err := haproxy.Write(haproxy.Describe(newRouter()), haproxy.Config{
		Engine: "guard", FailClosed: true, Version: "3.2",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for line := range strings.Lines(files.SPOE + files.Backend + files.Frontend) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			fmt.Println(line)
		}
	}
	// Output:
	// [guard]
	// spoe-agent guard
	// use-backend guard-agents
	// messages ip-rep
	// option var-prefix guard
	// register-var-names score
	// option set-on-error error
	// option set-process-time process_time
	// log global
	// option dontlog-normal
	// timeout processing 100ms
	// spoe-message ip-rep
	// args ip=src
	// event on-frontend-http-request
	// backend guard-agents
	// mode spop
	// log global
	// balance roundrobin
	// timeout connect 5s
	// timeout server 3m
	// option spop-check
	// default-server check inter 1s fall 3 rise 1
	// server agent1 127.0.0.1:9000
	// filter spoe engine guard config spoe.conf
	// http-request deny deny_status 400 if { var(txn.guard.error) -m int 3 4 5 }
	// http-request deny deny_status 503 unless { var(txn.guard.score) -m found }
}

// A test of yours that holds the configuration to the agent.
func ExampleCheck() {
	found, err := haproxy.Check(haproxy.Describe(newRouter()), haproxy.Sources{
		Configs: []string{"testdata/example/haproxy.cfg"},
	})
	if err != nil {
		fmt.Println(err)
	}
	for _, f := range found {
		fmt.Println(f)
	}
	// Output:
	// testdata/example/haproxy.cfg:5: the variable txn.guard.scroe is read, but neither the agent nor a rule sets it [variable-never-set]
	// testdata/example/spoe.conf:10: the message "ip-rep" has an argument "ip" as INT64, from src_port, and the handler's field IP (netip.Addr) takes IPV4, IPV6, STRING, BINARY [argument-type]
}

// The output of -print-routes, for `spoectl check`.
func ExampleAgent_WriteRoutes() {
	a := haproxy.Describe(newRouter())
	a.Messages[0].Site = "main.go:30" // a path otherwise
	_ = a.WriteRoutes(os.Stdout)
	// Output:
	// {
	//   "messages": [
	//     {
	//       "name": "ip-rep",
	//       "event": "on-frontend-http-request",
	//       "args": [
	//         {
	//           "name": "ip",
	//           "fetch": "src",
	//           "types": [
	//             "IPV4",
	//             "IPV6",
	//             "STRING",
	//             "BINARY"
	//           ],
	//           "required": true,
	//           "field": "IP",
	//           "go": "netip.Addr"
	//         }
	//       ],
	//       "vars": [
	//         {
	//           "scope": "txn",
	//           "name": "score",
	//           "types": [
	//             "INT64"
	//           ],
	//           "always": true
	//         }
	//       ],
	//       "deadline": "50ms",
	//       "site": "main.go:30"
	//     }
	//   ]
	// }
}

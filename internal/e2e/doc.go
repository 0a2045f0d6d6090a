// Package e2e holds tests only: agents behind real HAProxies, each test against
// every version that haproxytest.Installed finds, one topic a file.
//
// They are short in a normal run. Longer forms of the same tests, by
// environment variables, so that `make test` can be given them too:
//
//	SPOKE_RESTARTS=10   how many times each of the two agents is restarted under load
//	SPOKE_RESTART_MATRIX=file  the whole table of restarts in docs/deployment.md, by `make restarts`
//	SPOKE_AGE_SECONDS=60  how long TestConnectionAge measures
//	SPOKE_RELOADS=10    how many times HAProxy is reloaded under load
//	SPOKE_SOAK=10m      how long the load on one agent lasts
//
// SPOKE_TAP=/path/to/spoectl has HAProxy reach each agent through `spoectl tap`,
// which changes nothing but latency: all tests still pass, though TestRestarts then
// assumes twice as many NOTIFYs in flight when a connection ends. `make tap` does it.
//
// TestPredecessor needs port 9000, as the program it runs listens there.
package e2e

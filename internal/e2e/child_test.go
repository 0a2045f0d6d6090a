package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

// shutdownTimeout is that of the agents that tests restart: half of it is what
// health checks get, and a part of the rest how long a connection that is never
// quiet goes on.
const shutdownTimeout = 20 * time.Second

// Environment of the test binary as an agent.
const (
	agentEnv = "SPOKE_E2E_AGENT" // the address to listen on
	fallEnv  = "SPOKE_E2E_FALL"  // Agent.ShutdownChecks
	checkEnv = "SPOKE_E2E_CHECK" // Agent.AgentCheckAddr
	ageEnv   = "SPOKE_E2E_AGE"   // Agent.MaxConnectionAge
	delayEnv = "SPOKE_E2E_DELAY" // how long the handler takes
)

// child is an agent in a process of its own.
type child struct {
	addr, check string
	fall        int
	age, delay  time.Duration
}

// decisions answers ip-rep, in agents that tests restart or put under load.
func decisions(delay time.Duration) *router.Router {
	type request struct {
		IP netip.Addr `spoe:"ip,required"`
	}
	type decision struct {
		Decision string `spoe:"decision"`
	}
	r := router.New()
	r.Use(middleware.Recover(), middleware.Timeout(2*time.Second))
	r.Handle("ip-rep", func(ctx context.Context, in request) (decision, error) {
		if delay > 0 {
			select {
			case <-time.After(delay):
			case <-ctx.Done():
			}
		}
		return decision{"pass " + in.IP.String()}, nil
	})

	return r
}

const ipRep = `
spoe-message ip-rep
    args ip=src
    event on-frontend-http-request`

// runAgent is the test binary as an agent: it runs until SIGTERM, and prints its
// complaints and, at the end, its Stats.
func runAgent(addr string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	fall, err := strconv.Atoi(os.Getenv(fallEnv))
	age, aerr := time.ParseDuration(os.Getenv(ageEnv))
	delay, derr := time.ParseDuration(os.Getenv(delayEnv))
	if err := errors.Join(err, aerr, derr); err != nil {
		fmt.Println(err)
		return 2
	}
	a := &spoe.Agent{
		Handler:         decisions(delay),
		Logger:          slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{Level: slog.LevelWarn})),
		ShutdownChecks:  fall,
		ShutdownTimeout: shutdownTimeout,

		AgentCheckAddr:   os.Getenv(checkEnv),
		MaxConnectionAge: age,
	}
	ln, err := spoe.Listen(addr)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("listening")
	err = a.Run(ctx, ln)
	fmt.Printf("stats %+v\n", a.Stats())
	if err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// startAgent starts the test binary as an agent and returns when it listens.
func startAgent(t *testing.T, c child) *haproxytest.Program {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self)
	// Under the race detector a process stays for a second at its end.
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0", agentEnv+"="+c.addr, fallEnv+"="+strconv.Itoa(c.fall),
		checkEnv+"="+c.check, ageEnv+"="+c.age.String(), delayEnv+"="+c.delay.String())
	p := haproxytest.StartProgram(t, cmd)
	p.WaitOutput("listening")
	return p
}

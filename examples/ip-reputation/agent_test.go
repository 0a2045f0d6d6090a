package main_test

import (
	"strings"
	"testing"

	main "github.com/spoke-go/spoke/examples/ip-reputation"
	"github.com/spoke-go/spoke/service/servicetest"
)

// patience bounds every wait; it is reached only where something is wrong.
const patience = servicetest.Patience

// startAgent runs the whole program in this process, and returns when it is ready.
func startAgent(t *testing.T, args ...string) *servicetest.Agent {
	t.Helper()
	a := servicetest.Start(t, main.Agent(), append([]string{"-admin-listen", "off", "-timeout", "5s", "-shutdown-timeout", "500ms", "-poll", "20ms"}, args...)...)
	a.Addr(t)
	return a
}

// startProgram is startAgent with the program itself, in a process of its own.
func startProgram(t *testing.T, env []string, args ...string) *servicetest.Agent {
	t.Helper()
	a := servicetest.Run(t, env, append([]string{"-timeout", "5s"}, args...)...)
	a.Addr(t)
	return a
}

func writeList(t *testing.T, path string, lines ...string) {
	t.Helper()
	servicetest.WriteFile(t, path, strings.Join(lines, "\n")+"\n")
}

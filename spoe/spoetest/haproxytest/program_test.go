package haproxytest_test

import (
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

func TestProgram(t *testing.T) {
	p := haproxytest.StartProgram(t, exec.Command("sh", "-c", `trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.01; done`))
	p.WaitOutput("ready")
	assert.Equal(t, "ready\n", p.Output())
	require.NoError(t, syscall.Kill(p.Pid(), 0))
	p.Stop(syscall.SIGTERM, 10*time.Second)
	assert.Equal(t, "ready\nbye\n", p.Output())
	<-p.Ended()
}

// A program that ends before it is ready, does not stop, or fails, fails the test.
func TestProgramFails(t *testing.T) {
	for _, tt := range []struct {
		name, script string
		then         func(*haproxytest.Program)
		want         string
	}{
		{"ended", "echo no; exit 3", func(p *haproxytest.Program) { p.WaitOutput("ready") }, "ended (exit status 3) and has not written ready; it wrote:\nno\n"},
		{"does not stop", "trap '' TERM; echo ready; sleep 60", func(p *haproxytest.Program) {
			p.WaitOutput("ready")
			p.Stop(syscall.SIGTERM, 50*time.Millisecond)
		}, "has not ended 50ms after terminated"},
		{"status", "exit 1", func(p *haproxytest.Program) {
			<-p.Ended()
			p.Stop(syscall.SIGTERM, time.Second)
		}, "ended: exit status 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			log, failed := record(t, func(tb testing.TB) { tt.then(haproxytest.StartProgram(tb, exec.Command("sh", "-c", tt.script))) })
			assert.True(t, failed)
			assert.Contains(t, log, tt.want)
		})
	}
}

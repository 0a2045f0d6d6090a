package command_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/spoke-go/spoke/spoe/spoetest/conformance"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
)

func TestConform(t *testing.T) {
	agent := serve(t, loopback)
	r := run(t, "conform", agent, "--cases", "hello/,type/", "--message", "ip-rep", "--arg", "ip=192.0.2.1")
	require.Zero(t, r.status, r.out+r.err)
	assert.Regexp(t, `(?m)^hello +\d+ +0 +0$`, r.out)
	assert.Regexp(t, `(?m)^all +\d+ +0 +0   in `, r.out)

	r = run(t, "conform", agent, "--cases", "value/", "--contract", "all", "--json")
	require.Zero(t, r.status, r.out+r.err)
	var res struct {
		Passed, Failed, Skipped int
		Cases                   []struct{ Name, Result string }
	}
	require.NoError(t, json.Unmarshal([]byte(r.out), &res))
	assert.Equal(t, len(conformance.CasesOf("value/")), res.Passed)
	assert.Len(t, res.Cases, res.Passed)

	r = run(t, "conform", agent, "--cases", "value/", "--verbose")
	require.Zero(t, r.status, r.err)
	assert.Regexp(t, `(?m)^skipped value/.*\n        skipped: Target\.Messages does not have "echo"$`, r.out)

	r = run(t, "conform", "127.0.0.1:1")
	assert.Equal(t, 1, r.status)
	assert.Contains(t, r.err, "refused")
}

func TestConformFails(t *testing.T) {
	agent := bad(t, codec.Frame{Type: codec.FrameAck, StreamID: 9, FrameID: 9})
	r := run(t, "conform", agent, "--cases", "type/", "--wait", "100ms")
	assert.Equal(t, 1, r.status)
	assert.Empty(t, r.err)
	assert.Regexp(t, `(?m)^failed  type/\S+  \(.*; SPOE.txt §.*\)\n        \S`, r.out)
}

func TestConformIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	silent := serve(t, loopback, func(a *spoe.Agent) {
		a.Handler = spoe.HandlerFunc(func(ctx context.Context, _ *spoe.Message, _ *spoe.Actions) error {
			<-ctx.Done()
			return ctx.Err()
		})
	})
	r := runWith(ctx, nil, "conform", silent, "--cases", "type/")
	assert.Equal(t, 1, r.status)
	assert.Contains(t, r.err, "interrupted after 0 of")
}

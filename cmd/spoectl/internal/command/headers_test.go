package command_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
)

// ask and bench send header blocks in both forms of HAProxy, from a file or not.
func TestHeaderArguments(t *testing.T) {
	addr := serve(t, loopback, func(a *spoe.Agent) {
		a.Handler = spoe.HandlerFunc(func(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
			for name, v := range msg.Args.All() {
				h, err := codec.DecodeHeadersBin(v.Bytes())
				if v.Type() == codec.TypeString {
					h, err = codec.DecodeHeadersText(v.Bytes())
				}
				if err != nil {
					return err
				}
				text := strings.Join(h["Host"], ",") + " " + strings.Join(h["Accept"], ",")
				if err := acts.SetString(codec.ScopeTransaction, string(name), text); err != nil {
					return err
				}
			}
			return nil
		})
	})
	headers := file(t, "headers", "Host: example.org\r\nAccept: a\nAccept:  b \n\n")
	r := run(t, "ask", addr, "m", "text:hdrs=@"+headers, "bin:hdrs_bin=@"+headers, "one:hdrs=Host: x")
	require.Zero(t, r.status, r.err)
	assert.Contains(t, r.out, "txn.text = STRING \"example.org a,b\"\ntxn.bin = STRING \"example.org a,b\"\ntxn.one = STRING \"x \"\n")
	assert.Contains(t, run(t, "ask", addr, "m", "h:hdrs=x").err, "header line \"x\" is not Name: value")
}

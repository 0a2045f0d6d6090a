package docs_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
)

// TestBindingFetches asks each HAProxy what it sends for what the page names.
func TestBindingFetches(t *testing.T) {
	page, err := os.ReadFile(bindingPage)
	require.NoError(t, err)
	_, table, ok := strings.Cut(string(page), "<!-- table, checked: fetches -->\n\n")
	require.True(t, ok)
	table, _, _ = strings.Cut(table, "\n\n")
	rows := regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (.*) \\|$").FindAllStringSubmatch(table, -1)
	require.NotEmpty(t, rows)
	var args strings.Builder
	for i, r := range rows {
		fmt.Fprintf(&args, " a%d=%s", i, r[1])
	}

	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		got := make(chan map[string]codec.Type, 1)
		ln, err := spoe.Listen("127.0.0.1:0")
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		agent := &spoe.Agent{Logger: slog.New(slog.DiscardHandler), Handler: spoe.HandlerFunc(func(_ context.Context, msg *spoe.Message, _ *spoe.Actions) error {
			types := map[string]codec.Type{}
			for name, v := range msg.Args.All() {
				types[name] = v.Type()
			}
			got <- types
			return nil
		})}
		go func() { ended <- agent.Run(ctx, ln) }() // until the cleanup cancels ctx
		t.Cleanup(func() { cancel(); assert.NoError(t, <-ended) })

		h := haproxytest.Start(t, bin, haproxytest.Config{
			Agent: ln.Addr().String(),
			Files: map[string]string{"spoe.conf": "[e]\nspoe-agent a\n    use-backend agents\n    messages m\n    option var-prefix e\n" +
				"    timeout hello 2s\n    timeout idle 1m\n    timeout processing 2s\n" +
				"spoe-message m\n    args" + args.String() + "\n    event on-frontend-http-request\n"},
		})
		h.Get("/", "X-Client", "192.0.2.1")
		types := <-got
		for i, r := range rows {
			assert.Contains(t, strings.Split(r[2], " or "), types[fmt.Sprintf("a%d", i)].String(), r[1])
		}
	})
}

package samples_test

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/haproxy/internal/samples"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

// sources are samples of each type; conversions are converters, with arguments where
// they need some.
var (
	sources     = strings.Fields("path int(5) bool(true) src str(YWJj),b64dec method")
	conversions = strings.Fields("add(1) and(1) base64 bool bytes(0,64) concat(a,,b) cpl crc32 debug div(2) djb2 even field(1,/) " +
		"hex hex2i iif(a,b) ipmask(24) json length lower ltime(%Y) mod(2) mul(2) neg not odd or(1) regsub(a,b) sdbm sha1 sub(1) " +
		"upper url_dec word(1,/) xor(1) lower,bytes(0,4) bytes(0,64),length bytes(0,4),hex")
)

// TestConverterTypes: the type that HAProxy sends for a conversion is among its types, for
// each pair that a HAProxy takes.
func TestConverterTypes(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		var all []string
		for _, s := range sources {
			for _, c := range conversions {
				all = append(all, s+","+c)
			}
		}
		tried := 0
		for some := range slices.Chunk(all, 200) { // a message has 255 arguments at most
			taken := takes(t, bin, some)
			holdTypes(t, bin, taken)
			tried += len(taken)
		}
		assert.Greater(t, tried, len(all)/2)
	})
}

var refusedLine = regexp.MustCompile(`parsing \[spoe\.conf:(\d+)\]`)

// takes returns which of the expressions a HAProxy takes: a converter that it does not
// have, or not for the type, makes it refuse the line.
func takes(t *testing.T, bin haproxytest.Binary, fetches []string) []string {
	t.Helper()
	const first = 9 // the line of the first argument in spoeConf
	for {
		_, err := haproxytest.Check(t, bin, asking("127.0.0.1:9000", fetches))
		if err == nil {
			return fetches
		}
		refused := map[int]bool{}
		for _, m := range refusedLine.FindAllStringSubmatch(err.Error(), -1) {
			line, err := strconv.Atoi(m[1])
			require.NoError(t, err)
			refused[line-first] = true
		}
		require.NotEmpty(t, refused, "%v", err)
		var taken []string
		for i, f := range fetches {
			if !refused[i] {
				taken = append(taken, f)
			}
		}
		fetches = taken
	}
}

// asking is a configuration that sends expressions to an agent.
func asking(addr string, fetches []string) haproxytest.Config {
	return haproxytest.Config{
		Config: `
{{defaults "http"}}
frontend www
    bind {{addr "http"}}
    option http-buffer-request
    filter spoe engine e config spoe.conf
    http-request return status 200
backend agents
    mode tcp
    server a {{.Agent}}
`,
		Agent: addr,
		Files: map[string]string{"spoe.conf": spoeConf(fetches)},
	}
}

func spoeConf(fetches []string) string {
	args := ""
	for i, f := range fetches {
		args += fmt.Sprintf("    args \"a%d=%s\"\n", i, f)
	}
	return "[e]\nspoe-agent e\n    use-backend agents\n    messages m\n    timeout hello 2s\n    timeout idle 1m\n    timeout processing 5s\n" +
		"spoe-message m\n" + args + "    event on-frontend-http-request\n"
}

// holdTypes compares the types that a HAProxy sends with those of the table.
func holdTypes(t *testing.T, bin haproxytest.Binary, fetches []string) {
	t.Helper()
	var mu sync.Mutex
	got := map[string]string{}
	addr := spoetest.Serve(t, spoe.HandlerFunc(func(_ context.Context, m *spoe.Message, _ *spoe.Actions) error {
		mu.Lock()
		defer mu.Unlock()
		for name, v := range m.Args.All() {
			got[name] = v.Type().String()
		}
		return nil
	}))
	h := haproxytest.Start(t, bin, asking(addr, fetches))
	require.Equal(t, 200, h.Get("/a/b").Status)
	mu.Lock()
	defer mu.Unlock()
	for i, f := range fetches {
		typ := got[fmt.Sprintf("a%d", i)]
		if types := samples.Types(f); len(types) > 0 && typ != "NULL" && typ != "" {
			assert.Contains(t, types, typ, "%v: %s", bin, f)
		}
	}
}

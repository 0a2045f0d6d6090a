package command_test

import (
	"bytes"
	"context"
	"flag"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spoke-go/spoke/spoe/spoetest/conformance"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/cmd/spoectl/internal/command"
	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
)

var update = flag.Bool("update", false, "write the golden files")

// result is the result of one call of spoectl.
type result struct {
	status   int
	out, err string
}

// run runs spoectl in this process.
func run(t *testing.T, args ...string) result {
	t.Helper()
	return runWith(t.Context(), strings.NewReader(""), args...)
}

func runWith(ctx context.Context, in io.Reader, args ...string) result {
	var out, errOut bytes.Buffer
	status := command.Main(ctx, args, in, &out, &errOut)
	return result{status, out.String(), errOut.String()}
}

// golden compares the output with a file, in which a word stands for each part that differs
// from run to run.
func golden(t *testing.T, name, got string, oldnew ...string) {
	t.Helper()
	got = strings.NewReplacer(oldnew...).Replace(got)
	for _, r := range []struct{ expr, word string }{
		{`"(took_ns)": \d+`, `"$1": TIME`},
		{`\b\d[\d.]*(ns|µs|ms|s)\b`, "TIME"},
		{`\b\d+\.\d{6} #`, "AT #"},
		{`"at":[\d.e-]+`, `"at":AT`},
		// When a connection's end is seen depends on the machine.
		{`(?m)^AT #\d+ \. .*\n`, ""},
		{`(?m)^\{"at":AT,"connection":\d+,"event":.*\n`, ""},
		{`127\.0\.0\.1:\d+`, "PEER"},
	} {
		got = regexp.MustCompile(r.expr).ReplaceAllString(got, r.word)
	}
	path := filepath.Join("testdata", name+".golden")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
}

// ipRep scores addresses by their last byte.
func ipRep(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
	v, _ := msg.Args.Lookup("ip")
	a, ok := v.Addr()
	if !ok {
		return acts.UnsetVar(codec.ScopeSession, "ip_score")
	}
	b := a.AsSlice()
	return acts.SetInt(codec.ScopeSession, "ip_score", int64(b[len(b)-1]))
}

// serve runs an agent with the contract's messages and ip-rep until the test
// ends.
func serve(t *testing.T, addr string, configure ...func(*spoe.Agent)) string {
	t.Helper()
	contract := conformance.ContractHandler()
	a := &spoe.Agent{
		Logger: slog.New(slog.DiscardHandler),
		Handler: spoe.HandlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
			if msg.Name == "ip-rep" {
				return ipRep(ctx, msg, acts)
			}
			return contract.ServeSPOE(ctx, msg, acts)
		}),
	}
	for _, c := range configure {
		c(a)
	}
	ln, err := spoe.Listen(addr)
	require.NoError(t, err)
	return serveOn(t, a, ln)
}

func serveOn(t *testing.T, a *spoe.Agent, ln net.Listener) string {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- a.Serve(ln) }() // ends with Close
	t.Cleanup(func() {
		a.Close()
		<-ended
	})
	return ln.Addr().String()
}

const loopback = "127.0.0.1:0"

func file(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func TestUsage(t *testing.T) {
	rec := file(t, "damaged.rec", "# spoectl recording 1\n0 1 > 00\n")
	messages := file(t, "messages", "# none\nip-rep ip=1\nip-rep 'x\n")
	empty := file(t, "empty", "")
	routes := file(t, "routes", `{"messages": []}`)
	for _, tt := range []struct {
		args string
		want string // of the one line
	}{
		{"frobnicate", `spoectl: unknown command "frobnicate" for "spoectl"`},
		{"ask", "spoectl ask: ADDR is missing (--help says more)"},
		{"ask 127.0.0.1:9000", "spoectl ask: MESSAGE is missing (--help says more)"},
		{"ask here m", `spoectl ask: address "here": the port is missing; write host:port, such as 127.0.0.1:9000`},
		{"ask unix: m", `spoectl ask: address "unix:" has no path; write unix:/path or unix:@name`},
		{"ask :1 m ip", `spoectl ask: argument "ip" is not name=value`},
		{"ask :1 m ip:=1", `spoectl ask: argument "ip:=1" has no type behind its colon`},
		{"ask :1 m ip:adr=1", `spoectl ask: argument "ip:adr=1": there is no type "adr"; there are string, bin, hex, hdrs, hdrs_bin, bool, int, int32, uint32, uint64, ip and null`},
		{"ask :1 m n:int=x", `spoectl ask: argument "n:int=x": "x" is no int64`},
		{"ask :1 m n:uint32=4294967296", `spoectl ask: argument "n:uint32=4294967296": 4294967296 does not fit into uint32`},
		{"ask :1 m n:ipv4=::1", `spoectl ask: argument "n:ipv4=::1": "::1" is no ipv4 address`},
		{"ask :1 m n:null=x", `spoectl ask: argument "n:null=x": null has no value, "x" is one`},
		{"ask :1 m n:hex=0g", `spoectl ask: argument "n:hex=0g": encoding/hex: invalid byte: U+0067 'g'`},
		{"ask :1 m n=@/none", `spoectl ask: argument "n=@/none": open /none: no such file or directory`},
		{"ask :1 m --frame-size 255", "spoectl ask: --frame-size 255: the least is 256"},
		{"ask :1 m --ca " + empty, "spoectl ask: --ca: " + empty + " holds no PEM certificate"},
		{"ask :1 m --key " + empty, "spoectl ask: --key without --cert"},
		{"ask :1 m --timeout soon", `spoectl ask: invalid argument "soon" for "--timeout" flag: time: invalid duration "soon" (--help says which flags there are)`},
		{"bench :1", "spoectl bench: there is nothing to send: name a MESSAGE, a --file or a --recording"},
		{"bench :1 m --file x", "spoectl bench: MESSAGE, --file and --recording exclude each other"},
		{"bench :1 m --check", "spoectl bench: --check needs the ACKs of a --recording"},
		{"bench :1 --file " + messages, "spoectl bench: " + messages + ":3: a quote is not closed"},
		{"bench :1 --file " + empty, "spoectl bench: " + empty + ": there is no message in it"},
		{"bench :1 --recording " + empty, "spoectl bench: " + empty + `: line 1: no recording: it does not begin with "# spoectl recording 1"`},
		{"bench :1 m -c 0", "spoectl bench: --connections and --in-flight are at least 1"},
		{"bench :1 m -d 2h", "spoectl bench: --duration 2h0m0s is not above 0 and up to 1h0m0s"},
		{"bench :1 m --rate -1", "spoectl bench: --rate -1 is negative"},
		{"decode /none", "spoectl decode: open /none: no such file or directory"},
		{"decode", "spoectl decode: standard input is empty"},
		{"decode 000", "spoectl decode: the hex digits: there are 3, which is no whole number of bytes"},
		{"decode 0000", "spoectl decode: the hex digits: 2 bytes are left, which is less than a frame's length"},
		{"decode 0000000a01", "spoectl decode: the hex digits: 5 bytes are left, the last frame has 14"},
		{"decode 474554202f20485454502f312e31", `spoectl decode: the hex digits: no SPOP: "GET / HTTP/1.1"…`},
		{"decode --hex --raw", "spoectl decode: --hex and --raw exclude each other"},
		{"decode " + rec, "spoectl decode: " + rec + ": line 2: the frame has 1 bytes, which its length does not match"},
		{"tap :1", "spoectl tap: ADDR is missing (--help says more)"},
		{"tap 127.0.0.1:70000 :1", `spoectl tap: spoe: address "127.0.0.1:70000": "70000" is no port`},
		{"tap 127.0.0.1:0 :1 --record " + rec, "spoectl tap: --record: open " + rec + ": file exists"},
		{"replay " + rec + " :1", "spoectl replay: " + rec + ": line 2: the frame has 1 bytes, which its length does not match"},
		{"explain 77", "spoectl explain: 77: neither HAProxy nor SPOP has such a status: st= has 0 to 5, 255, and 256 + the status of a DISCONNECT"},
		{"explain what", `spoectl explain: "what" is neither a number, st=NUMBER, status NUMBER nor a line with one`},
		{"explain", "spoectl explain: no line of standard input has a status"},
		{"conform :1 --cases x/", `spoectl conform: --cases: no case begins with "x/"; they begin with hello/, `},
		{"conform :1 --contract x", `spoectl conform: --contract: there is no message "x"; there are echo, `},
		{"conform :1 --arg a=1", "spoectl conform: --arg without --message"},
		{"check", "spoectl check: CONFIG is missing (--help says more)"},
		{"check haproxy.cfg", "spoectl check: --routes is missing: write the routes by the agent's -print-routes"},
		{"check /none --routes /none", "spoectl check: open /none: no such file or directory"},
		{"check /none --routes " + rec, "spoectl check: " + rec + ": these are no routes as -print-routes writes them: "},
		{"check /none --routes " + routes, "spoectl check: stat /none: no such file or directory"},
		{"check " + empty + " --routes " + routes, `spoectl check: no frontend, backend or listen section has a line "filter spoe`},
		{"check " + empty + " --routes " + routes + " --for new", `spoectl check: "new" is no version: write one such as 3.2`},
		{"version 1", `spoectl version: "1" is one argument too many`},
	} {
		t.Run(tt.args, func(t *testing.T) {
			r := run(t, strings.Fields(tt.args)...)
			assert.Equal(t, 2, r.status)
			assert.Empty(t, r.out)
			assert.True(t, strings.HasPrefix(r.err, tt.want), "%q, want %q", r.err, tt.want)
			assert.Equal(t, 1, strings.Count(r.err, "\n"), r.err)
		})
	}
}

func TestHelp(t *testing.T) {
	for _, name := range []string{"ask", "bench", "decode", "tap", "replay", "explain", "conform", "check", "version"} {
		r := run(t, name, "--help")
		assert.Zero(t, r.status)
		assert.Contains(t, r.out, "Usage:\n  spoectl "+name)
	}
	r := run(t, "completion", "bash")
	assert.Zero(t, r.status)
	assert.Contains(t, r.out, "spoectl")
	r = run(t, "version")
	assert.Zero(t, r.status)
	assert.Contains(t, r.out, "SPOP 2.0")
	assert.Contains(t, run(t, "version", "--json").out, `"spop": "2.0"`)
}

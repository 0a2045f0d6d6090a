//go:build unix

package main_test

import (
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/internal/recipes"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// Each mistake is one line that says where it is and what to write.
func TestMistakes(t *testing.T) {
	for _, tt := range []struct{ config, want string }{
		{`limits: [{name: a b, rate: 1}]`, `"a b" is no name: write letters, digits, '-' and '_', such as login`},
		{`limits: [{name: a}]`, `limits[0].rate: is missing: write how many requests a period has, such as 100`},
		{`limits: [{name: a, rate: 1}, {name: a, rate: 2}]`, `limits[1].name: "a" is another limit's: write one of its own`},
		{`limits: [{name: a, rate: 60000}]`, `60000 in 1s is too much: write 50000 a second at most`},
		{`limits: [{name: a, rate: 6, cost: 7}]`, `limits[0].cost: 7 is more than the burst: write 6 or less`},
		{`limits: [{name: a, rate: 6, burst: -1}]`, `limits[0].burst: -1 is out of range: write a value from 1 to 1000000000`},
		{`limits: [{name: a, rate: 1, by: [adress]}]`, `"adress" is unknown: write ip, host, method, path, header:NAME, cookie:NAME, claim:NAME or var:NAME`},
		{`limits: [{name: a, rate: 1, by: [header]}]`, `"header" has no name of letters, digits, '.', '-' and '_': write header:NAME`},
		{`limits: [{name: a, rate: 1, by: ["claim:x')"]}]`, `has no name of letters, digits`},
		{`limits: [{name: a, rate: 1, by: ["ip:x"]}]`, `"ip:x" has a name: write ip alone`},
		{`limits: [{name: a, rate: 1, path: [login]}]`, `"login" is no path: write one that begins with '/' or '*', such as /api/*`},
		{`limits: [{name: a, rate: 1, path: ["/a%2fb"]}]`, `"/a%2fb" is compared with clean paths: write /a/b`},
		{`limits: [{name: a, rate: 1, path: ["/a/../b/*"]}]`, `"/a/../b/*" is compared with clean paths: write /b/*`},
		{`limits: [{name: a, rate: 1, method: [GET, post]}]`, `limits[0].method: ["GET" "post"] is not in capital letters, such as POST: write methods as requests have them`},
		{`limits: [{name: a, rate: 1, method: [""]}]`, `limits[0].method: [""] is not in capital letters`},
		{`allow: ["::ffff:10.0.0.0/104"]`, `allow[0]: "::ffff:10.0.0.0/104" is IPv4 in the form of IPv6: write 10.0.0.0/8`},
		{`redis: {address: ["a:redis"]}`, `redis.address[0]: "a:redis" is not an address: write host:port`},
		{`redis: {address: ["a:70000"]}`, `redis.address[0]: "a:70000" is not an address: write host:port`},
		{`redis: {address: ["a:"]}`, `redis.address[0]: "a:" is not an address: write host:port`},
		{`redis: {master: m}`, `redis.address: is missing, but master or cluster is set: write address, or remove them`},
		{`redis: {cluster: true}`, `redis.address: is missing, but master or cluster is set: write address, or remove them`},
		{`redis: {address: ["a:1"], cluster: true, master: m}`, `redis.master: is set with cluster: remove one of the two`},
		{`redis: {address: ["a:1"], sentinel-password: x}`, `redis.sentinel-password: is set without master: write master, too`},
		{`redis: {address: ["a:1", "b:1"], db: 3}`, `redis.db: is not 0, the only database of a cluster: remove it`},
		{`redis: {prefix: "a{}"}`, `redis.prefix: has braces, by which a cluster distributes keys: remove them`},
		{`limits: [{name: a, rate: 1, ipv6-prefix: 129}]`, `limits[0].ipv6-prefix: 129 is out of range: write a value from 16 to 128`},
		{`redis: {address: ["a:1,b:2"]}`, `redis.address[0]: "a:1,b:2" is not an address: write host:port, such as 127.0.0.1:6379, once for each`},
		{`redis: {ca: ca.pem}`, `redis.tls: is not set, but ca, cert or key is: write tls: true, or remove them`},
		{`redis: {tls: true, cert: a.pem}`, `redis.cert: and key belong together: write both`},
		{`gone: shut`, `gone: "shut" is unknown: write local, open or closed`},
	} {
		file := filepath.Join(t.TempDir(), "agent.yaml")
		require.NoError(t, os.WriteFile(file, []byte(tt.config), 0o600))
		out, err := exec.Command(recipes.Module(t, "examples/rate-limit"), "-t", "-config", file).CombinedOutput()
		require.Error(t, err, tt.config)
		assert.Contains(t, string(out), tt.want)
		assert.Regexp(t, `^rate-limit: \S+agent.yaml:1: [^\n]+\n$`, string(out), tt.config)
	}
}

// A reload changes the limits at once; if HAProxy does not send what they are by, the log
// says so.
func TestReload(t *testing.T) {
	a := startAgent(t, "limits: [{name: before, by: [ip], rate: 2, period: 1h}]")
	haproxy, err := spoetest.Dial(t.Context(), "tcp", a.Addr)
	require.NoError(t, err)
	defer haproxy.Close()
	ask := func() string {
		got, err := haproxy.Ask(t.Context(), "rate-limit", spoetest.Arg("ip", netip.MustParseAddr("192.0.2.1")))
		require.NoError(t, err)
		return got.Str("txn.which")
	}
	assert.Equal(t, "before", ask())
	require.NoError(t, os.WriteFile(a.config, []byte("limits: [{name: after, by: [ip], rate: 2, period: 1h}, {name: key, by: ['header:x-key'], rate: 2}]"), 0o600))
	a.Signal(syscall.SIGHUP)
	recipes.Until(t, func() bool { return ask() == "after" }, func() string { return "the limits stay as they were" })
	a.WaitOutput(`reload HAProxy" argument=header_x-key`)
}

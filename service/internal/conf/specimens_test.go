package conf_test

import (
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/service/internal/conf"
)

type list struct {
	Name  string
	Score int `min:"0" max:"100"`
}

func (l list) Validate() error {
	if l.Name == "" {
		return conf.Wrong("name", "is missing: write name: tor")
	}
	return nil
}

type config struct {
	Listen   []string
	Limit    int           `min:"1"`
	Small    uint8         `conf:"small"`
	Share    float64       `min:"0" max:"1"`
	Wait     time.Duration `max:"1m"`
	On       bool
	Format   string `oneof:"text,json"`
	LogLevel slog.Level
	Networks []netip.Prefix
	Token    conf.Secret
	Lists    []list
	Weights  map[string]int
	Redis    struct {
		Addr string `conf:",fixed"`
	}
}

func (c config) Validate() error {
	if c.Wait != 0 && c.Limit == 0 {
		return conf.Wrong("wait", "needs a limit: write limit: 10, too")
	}
	return nil
}

// Each specimen is one mistake, in the file at line 2, in a variable or in a flag. The
// message is one line with the place, the key, and a value or an action that is right.
func TestSpecimens(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"limti: 3", `FILE:2: limti: is unknown: write limit`},
		{"colour: red", `FILE:2: colour: is unknown: there are listen, limit, small, share, wait, on, format, log-level, networks, token, lists, weights, redis`},
		{"redis: {adr: x}", `FILE:2: redis.adr: is unknown: write addr`},
		{"limit: many", `FILE:2: limit: "many" is not a whole number: write one of 1 or more`},
		{"limit: 0", `FILE:2: limit: 0 is out of range: write a value of 1 or more`},
		{"limit: 1.5", `FILE:2: limit: "1.5" is not a whole number: write one of 1 or more`},
		{"limit:", `FILE:2: limit: has no value: write one, or remove the line`},
		{"limit: [1]", `FILE:2: limit: is a list, not one value: write limit: value`},
		{"limit: 1\nlimit: 2", `FILE:3: limit: is set in line 2, too: remove one of the two`},
		{"small: 300", `FILE:2: small: "300" is not a whole number of 0 or more: write one such as 10`},
		{"share: 1.5", `FILE:2: share: 1.5 is out of range: write a value from 0 to 1`},
		{"share: .nan", `FILE:2: share: ".nan" is not a number: write one from 0 to 1`},
		{"wait: 10", `FILE:2: wait: "10" is not a duration: write a number and its unit, such as 200ms, 10s or 5m`},
		{"wait: 2h", `FILE:2: wait: 2h is out of range: write a value of 1m or less`},
		{"wait: 1s", `FILE:2: wait: needs a limit: write limit: 10, too`},
		{"on: maybe", `FILE:2: on: "maybe" is neither true nor false: write true or false`},
		{"format: xml", `FILE:2: format: "xml" is unknown: write text or json`},
		{"log-level: loud", `FILE:2: log-level: "loud" is not a level: write one such as info`},
		{"networks: [10.0.0.0/8, 10.0.0.0/33]", `FILE:2: networks[1]: "10.0.0.0/33" is not a network: write one such as 10.0.0.0/8 or 2001:db8::/32`},
		{"networks: ['::ffff:10.0.0.0/104']", `FILE:2: networks[0]: "::ffff:10.0.0.0/104" is IPv4 in the form of IPv6: write 10.0.0.0/8`},
		{"networks: 10.0.0.0/8", `FILE:2: networks: is the value "10.0.0.0/8", not a list: write each value on a line of its own behind "- ", or [a, b]`},
		{"token: file:/none", `FILE:2: token: "file:/none" is not accepted: open /none: no such file or directory`},
		{"token: {a: b}", `FILE:2: token: is a mapping, not one value: write token: value`},
		{"lists:\n  - {name: tor, score: 200}", `FILE:3: lists[0].score: 200 is out of range: write a value from 0 to 100`},
		{"lists:\n  - {name: tor}\n  - score: 3", `FILE:4: lists[1].name: is missing: write name: tor`},
		{"lists: [tor]", `FILE:2: lists[0]: is the value "tor", not a mapping: write keys and values, name: …`},
		{"weights: {a: b}", `FILE:2: weights.a: "b" is not a whole number: write one such as 10`},
		{"- limit", `FILE:2: is a list, not a mapping: write keys and values, listen: …`},
		{"redis: &a {addr: *a}", `FILE:2: redis.addr: is a mapping, not one value: write addr: value`},
		{"limit: 1\n---\nlimit: 2", `FILE:3: is a second document: keep one, and remove the line ---`},
		{"limit: 1\n  on: true", `FILE:3: is not YAML: mapping values are not allowed in this context: write lines such as "log-level: info", indented by spaces`},
		{"limit: 1\n\ton: true", `FILE:3: is indented by a tab: write spaces`},
		{"env AGENT_LIMIT=many", `AGENT_LIMIT: "many" is not a whole number: write one of 1 or more`},
		{"env AGENT_LIMTI=3", `AGENT_LIMTI: is unknown: write AGENT_LIMIT`},
		{"env AGENT_REDIS_ADR=x", `AGENT_REDIS_ADR: is unknown: write AGENT_REDIS_ADDR`},
		{"flag limit=0", `-limit: 0 is out of range: write a value of 1 or more`},
		{"flag wait=1s", `-wait: needs a limit: write limit: 10, too`},
	} {
		t.Run(tt.text, func(t *testing.T) {
			src := conf.Sources{}
			what, pair, _ := strings.Cut(tt.text, " ")
			switch what {
			case "env":
				src.Environ = []string{pair}
			case "flag":
				name, value, _ := strings.Cut(pair, "=")
				src.Flags = map[string][]string{name: {value}}
			default:
				src.File = filepath.Join(t.TempDir(), "agent.yaml")
				require.NoError(t, os.WriteFile(src.File, []byte("# settings\n"+tt.text+"\n"), 0o600))
			}
			_, err := conf.New("agent", "AGENT_", &config{}).Load(src)
			require.Error(t, err)
			got := err.Error()
			if src.File != "" {
				got = strings.ReplaceAll(got, src.File, "FILE")
			}
			assert.Equal(t, tt.want, got)
		})
	}
}

// All mistakes are found in one go.
func TestAllMistakes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "agent.yaml")
	require.NoError(t, os.WriteFile(file, []byte("limit: x\non: y\ncolor: z\n"), 0o600))
	_, err := conf.New("agent", "AGENT_", &config{}).Load(conf.Sources{File: file, Environ: []string{"AGENT_SHARE=7"}})
	assert.Len(t, strings.Split(err.Error(), "\n"), 4, err)
}

func TestPrecedence(t *testing.T) {
	file := filepath.Join(t.TempDir(), "agent.yaml")
	require.NoError(t, os.WriteFile(file, []byte("limit: 2\nshare: 0.5\nlisten: [a, b]\nformat: json\ntoken: hidden\nredis: {addr: x}\n"), 0o600))
	spec := conf.New("agent", "AGENT_", &config{Limit: 1, Small: 7})
	loaded, err := spec.Load(conf.Sources{
		File: file, Environ: []string{"AGENT_LIMIT=3", "AGENT_SHARE=0.6", "AGENT_LISTEN=c;d\ne", "AGENT_SERVICE_HOST=10.0.0.1"},
		Flags: map[string][]string{"limit": {"4"}},
	})
	require.NoError(t, err)
	c := loaded.Value().(*config)
	assert.Equal(t, []any{4, uint8(7), 0.6, []string{"c", "d", "e"}, "json", "hidden", "x"},
		[]any{c.Limit, c.Small, c.Share, c.Listen, c.Format, c.Token.Reveal(), c.Redis.Addr})

	var b strings.Builder
	require.NoError(t, loaded.WriteYAML(&b))
	for _, line := range []string{"limit: 4 # -limit\n", "share: 0.6 # AGENT_SHARE\n", "token: REDACTED # " + file + ":5\n", "small: 7\n", "  addr: x # " + file + ":6\n", "weights: {}\n"} {
		assert.Contains(t, b.String(), line)
	}
	for _, form := range []string{"%v", "%+v", "%#v", "%s"} {
		assert.NotContains(t, fmt.Sprintf(form, *c), "hidden")
	}

	other, err := spec.Load(conf.Sources{Flags: map[string][]string{"redis-addr": {"y"}, "limit": {"9"}}})
	require.NoError(t, err)
	assert.Equal(t, []string{"redis.addr"}, other.KeepFixed(loaded))
	assert.Equal(t, "x", other.Value().(*config).Redis.Addr)
	assert.Equal(t, 9, other.Value().(*config).Limit)
}

package main_test

import (
	"flag"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	main "github.com/spoke-go/spoke/examples/ip-reputation"
	"github.com/spoke-go/spoke/examples/ip-reputation/internal/feed"
	"github.com/spoke-go/spoke/examples/ip-reputation/internal/reputation"
)

func environment(pairs map[string]string) func(string) string {
	return func(name string) string { return pairs[name] }
}

func TestConfig(t *testing.T) {
	tor := feed.Source{List: reputation.List{Name: "tor", Score: 20}, Path: "/l/tor.txt"}
	drop := feed.Source{List: reputation.List{Name: "drop"}, Path: "/l/drop.txt"}
	office := feed.Source{List: reputation.List{Name: "allow", Score: 100, Allow: true}, Path: "/l/office.txt"}
	for _, tt := range []struct {
		name    string
		args    []string
		env     map[string]string
		listen  string
		timeout time.Duration
		sources []feed.Source
		err     string
	}{
		{name: "defaults", listen: "127.0.0.1:9000", timeout: 200 * time.Millisecond, sources: main.SampleSources()},
		{
			name:   "flags",
			args:   []string{"-listen", ":9001", "-timeout=50ms", "-list", "name=tor,score=20,path=/l/tor.txt", "-allow", "/l/office.txt", "-list", "/l/drop.txt"},
			listen: ":9001", timeout: 50 * time.Millisecond, sources: []feed.Source{tor, office, drop},
		},
		{
			name:   "environment",
			env:    map[string]string{"IPREP_LISTEN": ":9002", "IPREP_TIMEOUT": "1s", "IPREP_LIST": "name=tor,score=20,path=/l/tor.txt;\n  /l/drop.txt\n", "IPREP_ALLOW": "/l/office.txt"},
			listen: ":9002", timeout: time.Second, sources: []feed.Source{office, tor, drop},
		},
		{
			name:   "a flag wins over the environment",
			args:   []string{"-listen", ":9001", "-list", "/l/drop.txt"},
			env:    map[string]string{"IPREP_LISTEN": ":9002", "IPREP_LIST": "/l/other.txt"},
			listen: ":9001", timeout: 200 * time.Millisecond, sources: []feed.Source{drop},
		},
		{name: "an unknown flag", args: []string{"-lsit", "x"}, err: "flag provided but not defined: -lsit"},
		{name: "a path without a flag", args: []string{"/l/drop.txt"}, err: `"/l/drop.txt" is no flag: lists are given as -list /l/drop.txt`},
		{name: "a bad list", args: []string{"-list", "score=200,path=/x"}, err: `invalid value "score=200,path=/x" for flag -list: score is "200": write a number from 0 (listed) to 100 (clean)`},
		{name: "a bad list in the environment", env: map[string]string{"IPREP_LIST": "score=200,path=/x"}, err: `invalid value "score=200,path=/x" in IPREP_LIST: score is "200": write a number from 0 (listed) to 100 (clean)`},
		{name: "a bad number in the environment", env: map[string]string{"IPREP_POLL": "soon"}, err: `invalid value "soon" in IPREP_POLL: parse error`},
		{name: "a bad log format", args: []string{"-log-format", "xml"}, err: `-log-format is "xml": write text or json`},
		{name: "no time", args: []string{"-timeout", "0"}, err: "-poll, -timeout and -shutdown-timeout must be more than 0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			listen, sources, timeout, err := main.ParseConfig(tt.args, environment(tt.env))
			if tt.err != "" {
				require.EqualError(t, err, tt.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.listen, listen)
			assert.Equal(t, tt.timeout, timeout)
			assert.Equal(t, tt.sources, sources)
		})
	}
	_, _, _, err := main.ParseConfig([]string{"-h"}, environment(nil))
	require.ErrorIs(t, err, flag.ErrHelp)
}

func TestAdminAddr(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		env  string
		want string
	}{
		{name: "default: for this machine alone", want: "127.0.0.1:6060"},
		{name: "environment", env: ":9100", want: ":9100"},
		{name: "a flag wins", args: []string{"-admin-addr", ":9101"}, env: ":9100", want: ":9101"},
		{name: "off", args: []string{"-admin-addr", "off"}},
		{name: "off in the environment", env: "off"},
		{name: "empty", args: []string{"-admin-addr", ""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := main.AdminAddr(tt.args, environment(map[string]string{"IPREP_ADMIN_ADDR": tt.env}))
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
		})
	}
}

package main_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestConfig(t *testing.T) {
	for _, tt := range []struct {
		name    string
		args    []string
		env     []string
		status  int
		stdout  []string // lines of -show-config
		mistake string
	}{
		{name: "defaults", stdout: []string{"list: []", "poll: 2s", "timeout: 200ms", "  - 127.0.0.1:9000", "admin-listen: 127.0.0.1:6060"}},
		{
			name:   "flags",
			args:   []string{"-listen", ":9001", "-timeout=50ms", "-list", "name=tor,score=20,path=/l/tor.txt", "-allow", "/l/office.txt", "-list", "/l/drop.txt"},
			stdout: []string{"  - :9001", "timeout: 50ms # -timeout", "  - name=tor,score=20,path=/l/tor.txt", "  - name=drop,score=0,path=/l/drop.txt", "  - name=allow,path=/l/office.txt"},
		},
		{
			name:   "environment",
			env:    []string{"IPREP_LISTEN=:9002", "IPREP_LIST=name=tor,score=20,path=/l/tor.txt;\n  /l/drop.txt\n", "IPREP_AGENT=10.0.0.1:9000"},
			stdout: []string{"  - :9002", "  - name=tor,score=20,path=/l/tor.txt", "  - name=drop,score=0,path=/l/drop.txt"},
		},
		{name: "an unknown flag", args: []string{"-lsit", "x"}, mistake: "-lsit: is unknown: write -list"},
		{name: "a bad list", args: []string{"-list", "score=200,path=/x"}, mistake: `-list: "score=200,path=/x" is not accepted: score is "200": write a number from 0 (listed) to 100 (clean)`},
		{name: "a bad list in the environment", env: []string{"IPREP_LIST=score=200,path=/x"}, mistake: `IPREP_LIST: "score=200,path=/x" is not accepted: score is "200": write a number from 0 (listed) to 100 (clean)`},
		{name: "the file", args: []string{"-config", "testdata/agent.yaml"}, stdout: []string{"  - name=tor,score=20,path=/l/tor.txt", "  - name=drop,score=0,path=/l/drop.txt"}},
		{name: "a bad list in the file", args: []string{"-config", "testdata/bad.yaml"}, mistake: "testdata/bad.yaml:3: list[1]: empty path"},
		{name: "one file twice", args: []string{"-list", "/x", "-list", "/x"}, mistake: `list "x" names /x twice: leave one out`},
		{name: "no time", args: []string{"-poll", "0s"}, mistake: "-poll: 0s is out of range: write a value of 1ms or more"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, stdout, stderr := onceWith(t, tt.env, append(tt.args, "-show-config")...)
			if tt.mistake != "" {
				assert.Equal(t, 2, status)
				assert.Equal(t, "ip-reputation: "+tt.mistake+"\n", stderr)
				return
			}
			assert.Zero(t, status, stderr)
			for _, line := range tt.stdout {
				assert.Contains(t, strings.Split(stdout, "\n"), line)
			}
		})
	}
}

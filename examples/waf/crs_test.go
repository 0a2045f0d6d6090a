package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/examples/waf/internal/crs"
	"github.com/spoke-go/spoke/service"
	"github.com/spoke-go/spoke/service/servicetest"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

var (
	wholeSuite = flag.Bool("suite", false, "run all tests of the Core Rule Set's suite, not every twentieth, and write the table in README.md")
	suiteTrace = flag.Bool("suite-trace", false, "log each test of the suite that does not pass")
)

// suiteRules are the rules that the suite requires: see the README of its tests.
const suiteRules = `
applications:
  - name: suite
    responses: true
    cut-body: judge
    directives: |
      Include @coraza.conf-recommended
      SecResponseBodyMimeType text/plain
      SecDefaultAction "phase:3,log,auditlog,pass"
      SecDefaultAction "phase:4,log,auditlog,pass"
      SecDefaultAction "phase:5,log,auditlog,pass"
      SecAction "id:900005,phase:1,nolog,pass,ctl:ruleEngine=DetectionOnly,ctl:ruleRemoveById=910000,setvar:tx.blocking_paranoia_level=4,setvar:tx.crs_validate_utf8_encoding=1,setvar:tx.arg_name_length=100,setvar:tx.arg_length=400,setvar:tx.total_arg_length=64000,setvar:tx.max_num_args=255,setvar:tx.max_file_size=64100,setvar:tx.combined_file_sizes=65535"
      Include @crs-setup.conf.example
      Include @owasp_crs/*.conf
`

// TestSuite runs the Core Rule Set's own tests through HAProxy. Each test that does not
// pass is in testdata/crs-exceptions.txt, with the reason; a test that is there and
// passes is a failure, too.
func TestSuite(t *testing.T) {
	all, err := crs.Load()
	require.NoError(t, err)
	require.Greater(t, len(all), 4000)
	if !*wholeSuite {
		some := all[:0]
		for i, test := range all {
			if i%20 == 0 {
				some = append(some, test)
			}
		}
		all = some
	}
	excepted := readExceptions(t)
	results := new(strings.Builder)
	fmt.Fprint(results, "| HAProxy | tests | passed | refused by HAProxy itself | other exceptions | failed |\n| --- | --- | --- | --- | --- | --- |\n")
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		run := newSuiteRun(t, bin)
		outcomes := run.all(all)
		passed, refused, others, failed := 0, 0, 0, 0
		for i, test := range all {
			reason, isExcepted := excepted.of(test.Name, bin)
			switch why := outcomes[i]; {
			case why == "" && isExcepted:
				t.Errorf("%s passes: take it out of testdata/crs-exceptions.txt", test.Name)
				failed++
			case why == "":
				passed++
			case strings.HasPrefix(reason, refusedByHAProxy):
				refused++
			case isExcepted:
				others++
			default:
				t.Errorf("%s: %s", test.Name, why)
				failed++
			}
			if outcomes[i] != "" && *suiteTrace {
				t.Logf("%s: %s\n%.600q", test.Name, outcomes[i], test.Request)
			}
		}
		fmt.Fprintf(results, "| %s | %d | %d | %d | %d | %d |\n", bin.Version, len(all), passed, refused, others, failed)
	})
	t.Log("\n" + results.String())
	if *wholeSuite && !t.Failed() {
		writeTable(t, "suite", results.String())
	}
}

// writeTable replaces the table between two comments of README.md.
func writeTable(t testing.TB, name, table string) {
	t.Helper()
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	before, rest, ok1 := strings.Cut(string(text), "<!-- table: "+name+" -->\n")
	_, after, ok2 := strings.Cut(rest, "<!-- end of table -->\n")
	require.True(t, ok1 && ok2, "README.md has no place for the table %s", name)
	require.NoError(t, os.WriteFile("README.md", []byte(before+"<!-- table: "+name+" -->\n"+table+"<!-- end of table -->\n"+after), 0o644))
}

const refusedByHAProxy = "HAProxy refuses"

// exceptions are the reasons of tests that do not pass, by name.
type exceptions map[string]struct{ versions, reason string }

// readExceptions reads lines of a test's name, the versions of HAProxy or "all", and the
// reason.
func readExceptions(t *testing.T) exceptions {
	t.Helper()
	text, err := os.ReadFile("testdata/crs-exceptions.txt")
	require.NoError(t, err)
	all := make(exceptions)
	for line := range strings.Lines(string(text)) {
		if f := strings.SplitN(strings.TrimSpace(line), " ", 3); len(f) == 3 && f[0] != "#" {
			all[f[0]] = struct{ versions, reason string }{f[1], f[2]}
		}
	}
	return all
}

func (e exceptions) of(name string, bin haproxytest.Binary) (reason string, ok bool) {
	x, ok := e[name]
	if ok && x.versions != "all" {
		ok = slices.ContainsFunc(strings.Split(x.versions, ","), func(v string) bool { return strings.HasPrefix(bin.Version, v) })
	}
	return x.reason, ok
}

// suiteRun is a HAProxy with an agent whose hits are read from its log.
type suiteRun struct {
	t    *testing.T
	addr string

	mu   sync.Mutex // guards hits
	hits map[string]*crs.Hits
}

func newSuiteRun(t *testing.T, bin haproxytest.Binary) *suiteRun {
	r := &suiteRun{t: t, hits: make(map[string]*crs.Hits)}
	file := filepath.Join(t.TempDir(), "agent.yaml")
	servicetest.WriteFile(t, file, suiteRules)
	ctx, stop := context.WithCancel(t.Context())
	log, stderr := io.Pipe()
	ready := make(chan string, 1)
	var running sync.WaitGroup
	running.Go(func() { // ends with the agent
		agent().Run(ctx, service.Process{Stdout: io.Discard, Stderr: stderr, Args: []string{"-config", file, "-listen", "127.0.0.1:0",
			"-admin-listen", "off", "-timeout", "80s", "-shutdown-timeout", "1s", "-log-format", "json", "-log-hits", "-pending-for", "2s"}})
		stderr.Close()
	})
	running.Go(func() { r.read(log, ready) }) // ends with the agent
	t.Cleanup(func() { stop(); running.Wait() })
	origin := httptest.NewServer(crs.Origin)
	t.Cleanup(origin.Close)
	cfg := shipped(t, <-ready, strings.TrimPrefix(origin.URL, "http://"),
		"    default_backend origin", "    http-after-response set-header X-WAF %[var(txn.waf.id)]\n    default_backend origin", "log stdout format raw local0", "", "30s", "2m")
	cfg.Files["spoe.conf"] = haproxytest.ReadConfig(t, "spoe.conf", "timeout processing 2s", "timeout processing 90s", "timeout hello 2s", "timeout hello 90s")
	cfg.Files["agents.cfg"] = haproxytest.ReadConfig(t, "agents.cfg", "inter 1s", "inter 100ms", "    option spop-check\n", patientChecks, "tune.bufsize 65536", "tune.bufsize 131072")
	h := haproxytest.Start(t, bin, cfg)
	waitUp(t, h, 1)
	r.addr = h.Addr("http")
	return r
}

// read collects hits from the agent's log.
func (r *suiteRun) read(log io.Reader, ready chan<- string) {
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line struct {
			Level, Msg, Transaction, Message, Data string
			Addresses                              []string
			Rule                                   int
		}
		if json.Unmarshal(lines.Bytes(), &line) != nil {
			continue
		}
		if line.Level != "INFO" { // why a request has no verdict
			r.t.Log(lines.Text())
		}
		switch line.Msg {
		case "ready":
			ready <- line.Addresses[0]
		case "rule matched":
			r.mu.Lock()
			if r.hits[line.Transaction] == nil {
				r.hits[line.Transaction] = new(crs.Hits)
			}
			h := r.hits[line.Transaction]
			h.IDs = append(h.IDs, line.Rule)
			h.Log += fmt.Sprintf("[id %q] [msg %q] [data %q]\n", fmt.Sprint(line.Rule), line.Message, line.Data)
			r.mu.Unlock()
		}
	}
}

// all runs tests, some at a time, and returns why each has not passed.
func (r *suiteRun) all(tests []crs.Test) []string {
	outcomes := make([]string, len(tests))
	next := make(chan int)
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() { // ends with next
			for i := range next {
				outcomes[i] = r.one(&tests[i])
			}
		})
	}
	for i := range tests {
		next <- i
	}
	close(next)
	workers.Wait()
	return outcomes
}

// one runs a test. Hits of a request whose response the agent does not get come when
// its transaction expires.
func (r *suiteRun) one(test *crs.Test) (why string) {
	answer := crs.Send(r.addr, test.Request)
	if len(test.Log.NoExpectIDs) > 0 || test.Log.NoMatchRegex != "" {
		r.catchUp()
	}
	for begun := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		why = test.Judge(answer, r.hitsOf(answer.Header.Get("X-WAF")))
		switch {
		case why != "" && answer.Header.Get("X-WAF") == "":
			return why + " (the agent has not been asked)"
		case why == "" || time.Since(begun) > 10*time.Second:
			return why
		}
	}
}

// catchUp waits for the hits of all earlier requests. It sends one more request: the log has
// its hits after all others.
func (r *suiteRun) catchUp() {
	later := crs.Send(r.addr, []byte("GET /?id=1'%20or%20'1'='1 HTTP/1.1\r\nHost: site\r\nConnection: close\r\n\r\n"))
	assert.Eventually(r.t, func() bool { return len(r.hitsOf(later.Header.Get("X-WAF")).IDs) > 0 }, servicetest.Patience, time.Millisecond)
}

func (r *suiteRun) hitsOf(id string) crs.Hits {
	r.mu.Lock()
	defer r.mu.Unlock()
	if h := r.hits[id]; h != nil {
		return crs.Hits{IDs: slices.Clone(h.IDs), Log: h.Log}
	}
	return crs.Hits{}
}

package main

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/service/servicetest"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

var (
	figures = flag.Bool("figures", false, "write the table of BenchmarkWAF in README.md")
	seconds = flag.Int("seconds", 10, "how long BenchmarkWAF measures each case")
	cases   = flag.String("cases", ".", "regular expression of the cases that BenchmarkWAF measures, such as ^GET, Core")
	keep    = flag.String("profile", "", "folder in which BenchmarkWAF leaves the last profile, cpu.pprof")
)

// benchForm is a form of 1 KB.
var benchForm = "name=Maier&city=Ulm&text=" + strings.Repeat("lorem+ipsum+dolor+sit+amet+", 37)

// BenchmarkWAF measures requests through HAProxy, the newest there is, with wrk: how many
// there are a second, the agent's CPU time for each, and the parts of Coraza and of Spoke
// in it.
func BenchmarkWAF(b *testing.B) {
	bins, err := haproxytest.Installed()
	require.NoError(b, err)
	bin := bins[len(bins)-1]
	script := b.TempDir() + "/post.lua"
	servicetest.WriteFile(b, script, `wrk.method = "POST"; wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"; wrk.body = "`+benchForm+`"`)
	headers := []string{"-H", "User-Agent: Mozilla/5.0 (X11; Linux x86_64)", "-H", "Accept: text/html", "-H", "Host: www.example.com", "-H", "Cookie: session=4711"}
	table := "| request | rules | requests/s | without the agent | agent's CPU for each | Coraza | Spoke | Spoke's sockets | the agent's code | Go's runtime |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
	const coreRules, oneRule = "applications: [{name: crs, responses: true}]",
		"applications: [{name: one, responses: true, directives: 'SecRule REQUEST_URI \"@contains evil\" \"id:1,phase:1,deny\"'}]"
	for range b.N {
		for _, c := range []struct {
			request, rules, settings string
			args                     []string
		}{{"GET", "Core Rule Set", coreRules, nil}, {"POST of 1 KB", "Core Rule Set", coreRules, []string{"-s", script}}, {"GET", "one rule", oneRule, nil}} {
			if !regexp.MustCompile(*cases).MatchString(c.request + ", " + c.rules) {
				continue
			}
			plain := measure(b, bin, "", append(headers, c.args...))
			waf := measure(b, bin, c.settings, append(headers, c.args...))
			table += fmt.Sprintf("| %s | %s | %.0f | %.0f | %.0f µs |", c.request, c.rules, waf.rps, plain.rps, waf.cpu*1e6)
			for _, owner := range []string{"Coraza", "Spoke", "sockets", "agent", "runtime"} {
				table += fmt.Sprintf(" %.1f %% |", 100*waf.shares[owner])
			}
			table += "\n"
		}
	}
	b.Log("\n" + table)
	if *figures {
		writeTable(b, "figures", table)
	}
}

// cost is the requests a second, and the cost of one.
type cost struct {
	rps, cpu float64            // cpu: seconds for each request
	shares   map[string]float64 // of the agent's CPU time, by owner
}

// measure measures with settings. Without them HAProxy does not ask the agent.
func measure(b *testing.B, bin haproxytest.Binary, settings string, args []string) cost {
	b.Helper()
	file := b.TempDir() + "/agent.yaml"
	servicetest.WriteFile(b, file, settings)
	a := servicetest.Run(b, nil, "-config", file, "-timeout", "10s", "-admin-pprof")
	cfg := shipped(b, a.Addr(b), startOrigin(b), "log stdout format raw local0", "")
	cfg.Files["agents.cfg"] = haproxytest.ReadConfig(b, "agents.cfg") // as shipped: tests check the agent's health more often
	if settings == "" {
		cfg.Config = regexp.MustCompile(`(?m)^ +(filter|http-request|http-response|option http-buffer).*$`).ReplaceAllString(cfg.Config, "")
	}
	h := haproxytest.Start(b, bin, cfg)
	waitUp(b, h, 1)
	run := func(seconds int) string {
		out, err := exec.Command("wrk", append([]string{"-t1", "-c16", "-d", strconv.Itoa(seconds), "http://" + h.Addr("http") + "/?id=1&page=2"}, args...)...).CombinedOutput()
		require.NoError(b, err, string(out))
		require.NotContains(b, string(out), "Non-2xx")
		return string(out)
	}
	run(1) // warm
	before := cpuSeconds(b, a)
	out := run(*seconds)
	spent := cpuSeconds(b, a) - before
	c := cost{rps: number(b, out, `Requests/sec: +([\d.]+)`), cpu: spent / number(b, out, `(\d+) requests in`)}
	if settings == "" {
		return c
	}
	profile := cmp.Or(*keep, b.TempDir()) + "/cpu.pprof"
	var profiling sync.WaitGroup
	profiling.Go(func() { // ends after the time
		status, text := servicetest.Get(b, a.Admin(b)+"/debug/pprof/profile?seconds="+strconv.Itoa(*seconds))
		assert.Equal(b, 200, status)
		assert.NoError(b, os.WriteFile(profile, []byte(text), 0o600))
	})
	run(*seconds + 1)
	profiling.Wait()
	c.shares = sharesOf(b, profile)
	return c
}

// sharesOf returns the owners' shares of a profile's samples. A sample belongs to the innermost
// function that is one of Coraza's, of the agent's or of Spoke's, with all that it calls in
// Go's libraries and in OpenTelemetry; to Go's runtime if there is none, such as a sample of
// the garbage collector. Spoke's system calls, to read and write messages, count as sockets.
func sharesOf(b *testing.B, profile string) map[string]float64 {
	b.Helper()
	out, err := exec.Command("go", "tool", "pprof", "-traces", "-unit=ms", profile).Output()
	require.NoError(b, err)
	shares, total := make(map[string]float64), 0.0
	for sample := range strings.SplitSeq(string(out), "-+-") {
		m := regexp.MustCompile(`(?m)^ *([\d.]+)ms +`).FindStringSubmatchIndex(sample)
		if m == nil {
			continue // the head
		}
		ms, err := strconv.ParseFloat(sample[m[2]:m[3]], 64)
		require.NoError(b, err)
		owner, inSyscall := "runtime", false
		for function := range strings.Lines(sample[m[1]:]) {
			function = strings.TrimSpace(function)
			inSyscall = inSyscall || strings.Contains(function, "Syscall6")
			if owner = ownerOf(function); owner != "runtime" {
				break
			}
		}
		if owner == "Spoke" && inSyscall {
			owner = "sockets"
		}
		shares[owner] += ms
		total += ms
	}
	require.NotZero(b, total)
	for owner := range shares {
		shares[owner] /= total
	}
	return shares
}

// ownerOf goes by where a name begins: generic functions have the names of types of others
// in theirs.
func ownerOf(function string) string {
	switch path := strings.TrimPrefix(function, "github.com/"); {
	case strings.HasPrefix(path, "corazawaf/"):
		return "Coraza"
	case strings.HasPrefix(path, "main."), strings.HasPrefix(path, "spoke-go/spoke/examples/waf"):
		return "agent"
	case strings.HasPrefix(path, "spoke-go/spoke/"):
		return "Spoke"
	}
	return "runtime"
}

func cpuSeconds(b *testing.B, a *servicetest.Agent) float64 {
	b.Helper()
	return number(b, a.Scrape(b), `(?m)^process_cpu_seconds_total ([\d.e+-]+)$`)
}

func number(b testing.TB, text, pattern string) float64 {
	b.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(text)
	require.NotNil(b, m, "%s in %s", pattern, text)
	n, err := strconv.ParseFloat(m[1], 64)
	require.NoError(b, err)
	return n
}

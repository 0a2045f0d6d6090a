package main

import (
	"flag"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/service/servicetest"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

var (
	figures = flag.Bool("figures", false, "write the table of BenchmarkWAF in README.md")
	seconds = flag.Int("seconds", 5, "how long BenchmarkWAF measures each case")
)

// rulesOff has the whole way of a request but for the rules: the cost of the rest.
const rulesOff = "applications: [{name: off, responses: true, directives: 'SecRuleEngine Off'}]"

// benchForm is a form of 1 KB.
var benchForm = "name=Maier&city=Ulm&text=" + strings.Repeat("lorem+ipsum+dolor+sit+amet+", 37)

// BenchmarkWAF measures requests through HAProxy, the newest there is, with wrk: how many
// there are a second, and the agent's CPU time for each, with the rules and without.
func BenchmarkWAF(b *testing.B) {
	bins, err := haproxytest.Installed()
	require.NoError(b, err)
	bin := bins[len(bins)-1]
	script := b.TempDir() + "/post.lua"
	servicetest.WriteFile(b, script, `wrk.method = "POST"; wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"; wrk.body = "`+benchForm+`"`)
	headers := []string{"-H", "User-Agent: Mozilla/5.0 (X11; Linux x86_64)", "-H", "Accept: text/html", "-H", "Host: www.example.com", "-H", "Cookie: session=4711"}
	table := "| request | rules | requests/s | without the agent | agent's CPU for each | of that without rules |\n| --- | --- | --- | --- | --- | --- |\n"
	for range b.N {
		for _, request := range []struct {
			name string
			args []string
		}{{"GET", nil}, {"POST of 1 KB", []string{"-s", script}}} {
			plainRPS, _ := measure(b, bin, "", append(headers, request.args...))
			_, off := measure(b, bin, rulesOff, append(headers, request.args...))
			for name, settings := range map[string]string{"Core Rule Set": "applications: [{name: crs, responses: true}]"} {
				rps, cpu := measure(b, bin, settings, append(headers, request.args...))
				table += fmt.Sprintf("| %s | %s | %.0f | %.0f | %.0f µs | %.0f µs, %.1f %% |\n", request.name, name, rps, plainRPS, cpu*1e6, off*1e6, 100*off/cpu)
			}
		}
	}
	b.Log("\n" + table)
	if *figures {
		writeTable(b, "figures", table)
	}
}

// measure returns requests a second and the agent's CPU seconds for each. Without
// settings HAProxy does not ask the agent.
func measure(b *testing.B, bin haproxytest.Binary, settings string, args []string) (rps, cpu float64) {
	b.Helper()
	file := b.TempDir() + "/agent.yaml"
	servicetest.WriteFile(b, file, settings)
	a := servicetest.Run(b, nil, "-config", file, "-timeout", "10s")
	cfg := shipped(b, a.Addr(b), startOrigin(b), "log stdout format raw local0", "")
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
	n := number(b, out, `(\d+) requests in`)
	return number(b, out, `Requests/sec: +([\d.]+)`), spent / n
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

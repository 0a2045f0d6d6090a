package service_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/service/servicetest"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

// reloadConfig refuses requests without a verdict.
const reloadConfig = `
global
    maxconn 2000
{{defaults "http"}}
frontend www
    bind "{{addr "http"}}"
    filter spoe engine test-agent config spoe.conf
    http-request return status 200 if { var(txn.test_agent.score) -m found }
    http-request return status 503
`

// Requests come on 64 connections while good and bad files replace the configuration
// in turn: each request has a verdict. SPOKE_SERVICE_RELOADS says how often; make
// service-reloads does it 100 times.
func TestReloadUnderLoad(t *testing.T) {
	n := 4
	if text := os.Getenv("SPOKE_SERVICE_RELOADS"); text != "" {
		var err error
		n, err = strconv.Atoi(text)
		require.NoError(t, err)
	}
	wrk, err := exec.LookPath("wrk")
	require.NoError(t, err, "apt-get install wrk")
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		file := filepath.Join(t.TempDir(), "agent.yaml")
		servicetest.WriteFile(t, file, "score: 1\n")
		r := servicetest.Start(t, newAgent(), "-config", file, "-timeout", "5s")
		args := []string{"-listen", r.Addr(t), "-timeout", "5s"}
		_, spoeConf, _ := servicetest.Once(t, newAgent(), nil, append(args, "-print-config=spoe")...)
		_, backend, _ := servicetest.Once(t, newAgent(), nil, append(args, "-print-config=backend")...)
		h := haproxytest.Start(t, bin, haproxytest.Config{
			Config: reloadConfig,
			Files:  map[string]string{"spoe.conf": spoeConf, "agents.cfg": backend},
			Args:   []string{"-f", "agents.cfg"},
		})
		require.Eventually(t, func() bool { return h.Get("/").Status == 200 }, servicetest.Patience, 50*time.Millisecond)

		const each = 200 * time.Millisecond
		load := exec.Command(wrk, "-t1", "-c64", fmt.Sprintf("-d%ds", int((time.Duration(n)*each).Seconds())+1), "--timeout", "15s", h.URL)
		loaded := make(chan []byte, 1)
		go func() { // ends by itself; waited for below
			out, _ := load.CombinedOutput()
			loaded <- out
		}()
		for i := range n {
			text := fmt.Sprintf("score: %d\n", 2+i%90)
			if i%2 == 1 {
				text = []string{"score: 101\n", "score: 5\nreject: true\n", "sc\n"}[i/2%3]
			}
			servicetest.WriteFile(t, file, text)
			r.Reload <- os.Interrupt
			time.Sleep(each)
		}
		out := string(<-loaded)
		t.Log(out)
		m := regexp.MustCompile(`(\d+) requests in`).FindStringSubmatch(out)
		require.NotNil(t, m, out)
		assert.NotEqual(t, "0", m[1])
		assert.NotContains(t, out, "Non-2xx")
		assert.NotContains(t, out, "Socket errors")
		r.Log.Wait(t, `configuration reloaded`)
		r.Log.Wait(t, `configuration not reloaded`)
	})
}

package haproxytest_test

import (
	"testing"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

// A test of an agent that listens on 127.0.0.1:9000, against every version of HAProxy that
// this machine has: its answer, and that HAProxy logs no error.
func ExampleForEach() {
	var t *testing.T // the test's own

	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		h := haproxytest.Start(t, bin, haproxytest.Config{
			Agent: "127.0.0.1:9000",
			Files: map[string]string{"spoe.conf": haproxytest.ReadConfig(t, "spoe.conf")},
			Rules: `http-request deny if { var(sess.iprep.ip_score) -m int gt 50 }`,
		})
		if resp := h.Get("/"); resp.Status != 403 {
			t.Errorf("127.0.0.1 is listed, but got %d %s", resp.Status, resp.Body)
		}
		for _, l := range h.WaitSPOELogs(1) {
			if l.Status != 0 {
				t.Errorf("%s", l.Line)
			}
		}
	})
}

// The configuration that is shipped, with the addresses of a test.
func ExampleReadConfig() {
	var (
		t   *testing.T // the test's own
		bin haproxytest.Binary
	)

	h := haproxytest.Start(t, bin, haproxytest.Config{
		Config: haproxytest.ReadConfig(t, "haproxy.cfg",
			"bind :8080", `bind {{addr "http"}}`,
			"127.0.0.1:9000", "{{.Agent}}",
			"/etc/haproxy/spoe.conf", `{{path "spoe.conf"}}`),
		Files: map[string]string{"spoe.conf": haproxytest.ReadConfig(t, "spoe.conf")},
		Agent: "127.0.0.1:9001",
	})
	h.Get("/", "X-Forwarded-For", "192.0.2.66")
}

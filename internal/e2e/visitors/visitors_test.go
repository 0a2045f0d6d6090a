//go:build unix && !race

package visitors_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/internal/recipes"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if err := recipes.RemovePrograms(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// halfClosed is the number of times that a half-closed request is sent: whether HAProxy
// interrupts the question depends on the order of events.
const halfClosed = 12

// TestVisitors sends each request to each example behind each HAProxy. A request
// that reaches the site must have the verdict of the agent, whether the example fails
// open or closed where the agent is gone: here the agent is there.
func TestVisitors(t *testing.T) {
	for _, e := range examples {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
				if e.recipe.Since != "" && !e.recipe.Takes(t, bin) {
					return
				}
				s := startSite(t)
				h := e.start(t, bin, s)
				visitors := visitors{t, &e, s, h.Addr("http"), h.Addr("h2")}
				for i, r := range requests {
					visitors.try(i, &r)
				}
			})
		})
	}
}

type visitors struct {
	t            *testing.T
	example      *example
	site         *site
	http1, http2 string
}

// try sends a request, some more than once.
func (v visitors) try(i int, r *request) {
	times := 1
	if r.halfClose {
		times = halfClosed
	}
	for n := range times {
		// A question that was too slow is asked again: this machine may be busy.
		for again := range 3 {
			if v.once(fmt.Sprintf("%d.%d.%d", i, n, again), r, again == 2) {
				break
			}
		}
	}
}

// once reports whether the outcome counts.
func (v visitors) once(name string, r *request, last bool) bool {
	answer := r.send(v.t, v.http1, v.http2, name)
	head, _, _ := strings.Cut(answer, "\r\n")
	visits := v.site.visits(name)
	for _, visit := range visits {
		if visit.slow() && !last {
			return false
		}
		if v.example.asks(r) {
			assert.Regexp(v.t, v.example.verdict, visit.verdict, "%s reaches the site as %q without a verdict: %s", r.name, visit.line, visit.why)
		}
	}
	if v.example.responses && len(visits) > 0 && strings.HasPrefix(head, "HTTP/1.1 200") {
		assert.Regexp(v.t, "(?m)^"+verdictHeader+": [a-z]", answer, "the response to %s has no verdict", r.name)
	}
	switch {
	case r.hostile && v.example.refusesProbes:
		assert.Empty(v.t, visits, "%s reaches the site", r.name)
	case r.doubtful && v.example.refusesDoubtful:
		assert.Empty(v.t, visits, "%s reaches the site, in spite of its host or path", r.name)
	case r.plain:
		if len(visits) == 0 && !last {
			return false
		}
		assert.Len(v.t, visits, 1, "%s does not reach the site: %s", r.name, head)
	}
	return true
}

// slow reports whether there is no verdict because the machine is busy: HAProxy's
// timeout, or the deadline of the agent.
func (v *visit) slow() bool {
	return strings.Contains(v.why, "error=1 ") || strings.Contains(v.why, "timeout")
}

// change adds to the haproxy.cfg of an example what the tests want to see, and takes
// what HAProxy would refuse otherwise. From 3.3 on, option abortonclose is its default.
func (e *example) change(config string, beside map[string]string) string {
	const frontend, last = `{{addr "http"}}`, "\n    default_backend "
	config = strings.Replace(config, frontend, frontend+"\n    bind {{addr \"h2\"}} proto h2\n    option accept-invalid-http-request", 1)
	config = regexp.MustCompile(`(?m)^defaults\n`).ReplaceAllString(config, "defaults\n    option abortonclose\n")
	rules := fmt.Sprintf("    http-request set-header %s \"%s\"\n", verdictHeader, e.shows) +
		fmt.Sprintf("    http-request set-header %s \"error=%%[var(%s.error)] failed=%%[var(%[2]s.failed)]\"\n", whyHeader, e.prefix)
	if e.responses {
		rules += "    http-response set-header " + verdictHeader + " %[var(txn.headers.cache)]\n"
	}
	config = strings.Replace(config, last, "\n"+rules+last, 1)
	for name, text := range beside {
		text = strings.ReplaceAll(text, "inter 1s", "inter 100ms")
		beside[name] = processing.ReplaceAllString(text, "timeout processing 5s")
	}
	return config
}

var processing = regexp.MustCompile(`timeout processing \S+`)

// start starts an example, and returns when its agent answers.
func (e *example) start(t *testing.T, bin haproxytest.Binary, s *site) *haproxytest.HAProxy {
	t.Helper()
	h := e.run(t, bin, e, s.addr)
	ready := request{raw: line("POST / HTTP/1.1", "Content-Length: 3"), body: "a=1"}
	recipes.Until(t, func() bool {
		ready.send(t, h.Addr("http"), h.Addr("h2"), "ready")
		visits := s.visits("ready")
		return len(visits) > 0 && e.verdict.MatchString(visits[0].verdict)
	}, func() string { return "the agent does not answer" })
	return h
}

package main_test

import (
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/service/servicetest"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// client asks the agent as HAProxy does.
type client struct {
	*spoetest.Client
	agent *servicetest.Agent
}

func dial(t *testing.T, a *servicetest.Agent) client {
	t.Helper()
	c, err := spoetest.Dial(t.Context(), "tcp", a.Addr(t))
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return client{c, a}
}

func (c client) send(t *testing.T, method, url string, headers http.Header, body string, more ...spoetest.Argument) {
	t.Helper()
	args := []spoetest.Argument{spoetest.Arg("method", method), spoetest.Arg("url", url),
		spoetest.Arg("headers", codec.AppendHeadersBin(nil, headers)), spoetest.Arg("body", []byte(body)), spoetest.Arg("body_ended", true)}
	_, err := c.Ask(t.Context(), "mirror", append(args, more...)...)
	require.NoError(t, err)
}

// withTarget starts an agent with a target that a YAML mapping describes.
func withTarget(t *testing.T, settings string, flags ...string) client {
	t.Helper()
	file := filepath.Join(t.TempDir(), "agent.yaml")
	servicetest.WriteFile(t, file, "target:\n  - "+settings+"\n")
	return dial(t, startAgent(t, append([]string{"-config", file}, flags...)...))
}

// Each target gets the requests that its settings want, however it is asked.
func TestConditions(t *testing.T) {
	requests := []struct {
		method, url string
		headers     http.Header
	}{
		{"GET", "/api/a?b", http.Header{"X-Beta": {"yes"}}},
		{"POST", "https://site.example/api/b", nil},
		{"GET", "/other", http.Header{"X-Beta": {"no"}}},
		{"DELETE", "/API/", http.Header{"x-beta": {""}}},
	}
	for settings, want := range map[string][]int{
		``:                                 {0, 1, 2, 3},
		`, method: [GET, POST]`:            {0, 1, 2},
		`, path: [/api/, /o]`:              {0, 1, 2},
		`, header: [X-BETA]`:               {0, 2, 3},
		`, header: ["X-Beta: yes"]`:        {0},
		`, header: ["X-Beta: n", X-None]`:  {},
		`, method: [GET], path: [/other]`:  {2},
		`, share: 0.000000001`:             {},
		`, share-by: X-None, share: 99.99`: {0, 1, 2, 3},
	} {
		t.Run(settings, func(t *testing.T) {
			mirror := newSite(t, nil)
			c := withTarget(t, "{url: '"+mirror.URL+"'"+settings+"}")
			for i, r := range requests {
				headers := http.Header{"X-Id": {strconv.Itoa(i)}}
				maps.Copy(headers, r.headers)
				c.send(t, r.method, r.url, headers, "")
			}
			require.NoError(t, c.Close())
			c.agent.End(t) // it sends the copies that wait
			ids := []int{}
			for id := range mirror.all() {
				i, err := strconv.Atoi(id)
				require.NoError(t, err)
				ids = append(ids, i)
			}
			assert.ElementsMatch(t, want, ids)
		})
	}
}

// A target gets its share of the requests or, with share-by, of a header's values.
func TestShare(t *testing.T) {
	const n = 2000
	mirror := newSite(t, nil)
	c := withTarget(t, "{name: random, url: '"+mirror.URL+"/random', share: 10}\n"+
		"  - {name: by, url: '"+mirror.URL+"/by', share: 30, share-by: X-User}\n"+
		"  - {name: all, url: '"+mirror.URL+"/all'}", "-queue", strconv.Itoa(n))
	for i := range n {
		c.send(t, "GET", "/", http.Header{"X-Id": {strconv.Itoa(i)}, "X-User": {fmt.Sprintf("user%d", i/10)}}, "")
	}
	lines := func() map[string]int {
		counts := make(map[string]int)
		for _, reqs := range mirror.all() {
			for _, r := range reqs {
				counts[r.line]++
			}
		}
		return counts
	}
	users := make(map[string]int)
	require.Eventually(t, func() bool {
		clear(users)
		for id, reqs := range mirror.all() {
			for _, r := range reqs {
				if r.line == "GET /by/ HTTP/1.1" {
					users[id[:max(len(id)-1, 0)]]++
				}
			}
		}
		for _, copies := range users {
			if copies != 10 {
				return false
			}
		}
		return lines()["GET /all/ HTTP/1.1"] == n
	}, patience, patience/500, "a user's requests are all copied or all not")
	assert.InDelta(t, 0.1*n, lines()["GET /random/ HTTP/1.1"], 100) // 7 standard deviations
	assert.InDelta(t, 0.3*n/10, len(users), 45)                     // 200 users, of whom each agent chooses the same
}

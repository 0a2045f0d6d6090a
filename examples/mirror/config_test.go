package main_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	main "github.com/spoke-go/spoke/examples/mirror"
	"github.com/spoke-go/spoke/service/servicetest"
)

func TestWrongSettings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "agent.yaml")
	for name, tt := range map[string]struct{ target, want string }{
		"no URL":         {"name: a", `target[0].url: is missing: write one such as http://127.0.0.1:8082`},
		"no scheme":      {"url: staging:80", `target[0].url: "staging:80" is not a URL: write one such as http://127.0.0.1:8082`},
		"a query":        {"url: 'http://a/?b'", `target[0].url: "http://a/?b" has more than scheme, host and path: remove the rest`},
		"a password":     {"url: 'http://u:p@a'", `has more than scheme, host and path: remove the rest`},
		"a share":        {"{url: 'http://a', share: 101}", `target[0].share: 101 is out of range: write a value from 0.000000001 to 100`},
		"share 0":        {"{url: 'http://a', share: 0}", `target[0].share: 0 is out of range: write a value from 0.000000001 to 100`},
		"a line break":   {`{url: 'http://a', set: {X-A: "b\r\nc: d"}}`, `target[0].set.X-A: is no header: write a name and a value without line breaks`},
		"a name":         {`{url: 'http://a', set: {"X A": b}}`, `target[0].set.X A: is no header: write a name and a value without line breaks`},
		"a connection's": {`{url: 'http://a', set: {Transfer-Encoding: chunked}}`, `cannot be set: the copy's connection and body decide it`},
		"a host":         {`{url: 'http://a', host: "a b"}`, `target[0].host: "a b" is no host: write keep, url, or a name such as staging.example.org`},
		"trust":          {`{url: 'https://a', ca: f, insecure: true}`, `target[0].insecure: is set with ca: remove one of the two`},
		"no file":        {`{url: 'https://a', ca: /none}`, `/none: no such file or directory`},
		"no certificate": {`{url: 'https://a', ca: go.mod}`, `go.mod has no certificate in PEM`},
		"a method":       {`{url: 'http://a', method: [GET, post]}`, `target[0].method: "post" is no method: write one in capital letters, such as POST`},
		"a path":         {`{url: 'http://a', path: [api]}`, `target[0].path: "api" is no path: write one that begins with '/', such as /api/`},
		"a header":       {`{url: 'http://a', header: [": yes"]}`, `target[0].header: ": yes" is no header: write a name, such as X-Beta, or a name and a value, X-Beta: yes`},
		"a sharer":       {`{url: 'http://a', share-by: "X Y"}`, `target[0].share-by: "X Y" is no name of a header: write one such as X-Session`},
		"a removal":      {`{url: 'http://a', remove: ["X:"]}`, `target[0].remove: "X:" is no name of a header: write one such as Cookie`},
		"HTTP":           {`{url: 'http://a', http: 3}`, `target[0].http: "3" is unknown: write auto, 1 or 2`},
	} {
		t.Run(name, func(t *testing.T) {
			servicetest.WriteFile(t, file, "target:\n  - "+tt.target+"\n")
			status, _, stderr := servicetest.Once(t, main.Agent(), nil, "-t", "-config", file)
			assert.NotZero(t, status)
			assert.Contains(t, stderr, tt.want)
		})
	}
	servicetest.WriteFile(t, file, "target: [{url: 'http://a'}]\n")
	status, _, stderr := servicetest.Once(t, main.Agent(), nil, "-t", "-config", file, "-url", "http://a/b")
	assert.NotZero(t, status)
	assert.Contains(t, stderr, `target[0]: is named "a", as url[0] is: write another name`)
	status, _, stderr = servicetest.Once(t, main.Agent(), nil, "-t", "-url", "a")
	assert.NotZero(t, status)
	assert.True(t, strings.HasPrefix(stderr, `mirror: -url: "a" is not a URL`) || strings.Contains(stderr, `url[0]`), stderr)
}

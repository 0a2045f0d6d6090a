package command_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/internal/freeaddr"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

const checkedAgents = `
global
    log stdout format raw local0
defaults
    mode tcp
    log global
    timeout connect 1s
    timeout client 1s
    timeout server 1s
    timeout check 200ms
backend agents
.if version_atleast(3.1)
    mode spop
.endif
    {{.Data.Option}}
    server agent {{.Data.Addr}} check inter 100ms fall 1 {{.Data.Words}}
frontend unused
    bind {{addr "http"}}
    mode http
    http-request return status 200
`

type checkedAgent struct{ Option, Addr, Words string }

// TestExplainHealth has real HAProxies say why an agent is down, and explains it.
func TestExplainHealth(t *testing.T) {
	web := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(web.Close)
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections by its backlog
	require.NoError(t, err)
	t.Cleanup(func() { silent.Close() })
	closed := freeaddr.Find(t)
	address := web.Listener.Addr().String()
	rude, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { rude.Close() })
	go func() { // ends with the cleanup
		for {
			conn, err := rude.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte("220 mail.example ESMTP\r\n")) // HAProxy may be gone
			conn.Close()
		}
	}()
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		for name, c := range map[string]struct {
			checkedAgent
			says string
		}{
			"nobody listens": {checkedAgent{"option spop-check", closed, ""}, "Nothing listens"},
			"silence":        {checkedAgent{"option spop-check", silent.Addr().String(), ""}, "does not answer a hello"},
			"a web server":   {checkedAgent{"option spop-check", address, ""}, "something else listens there"},
			"a mail server":  {checkedAgent{"option spop-check", rude.Addr().String(), ""}, "not as an agent"},
			"no TLS there":   {checkedAgent{"option spop-check", address, "ssl verify none"}, "does not speak TLS"},
			"httpchk":        {checkedAgent{"option httpchk", address, ""}, "option httpchk"},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				h := haproxytest.Start(t, bin, haproxytest.Config{Config: checkedAgents, Data: c.checkedAgent})
				line := h.WaitLog("reason: ")
				r := runWith(t.Context(), strings.NewReader(line+"\n"), "explain")
				require.Zero(t, r.status, line)
				assert.Contains(t, strings.Join(strings.Fields(r.out), " "), c.says, line)
			})
		}
	})
}

package command_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/cmd/spoectl/internal/recording"
	"github.com/spoke-go/spoke/cmd/spoectl/internal/status"
	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
)

// summedConf makes HAProxy send a message for each client, and two or three of them
// in one NOTIFY for each request.
func summedConf(lines string) string {
	return `
[sums]
spoe-agent sums
    log global
    messages client request body copies
    option var-prefix sums
    option set-on-error error
    option force-set-var
    timeout hello 5s
    timeout idle 1m
    timeout processing 5s
    use-backend agents
    ` + lines + `

spoe-message client
    args ip=src
    event on-client-session

spoe-message request
    args path=path method=method n=int(-3) yes=bool(true) ip4=src ip6=req.hdr_ip(x-ip6) bytes=bin(00c0ffee) none=req.hdr(x-none) path
    event on-frontend-http-request

spoe-message body
    args body=req.body
    event on-frontend-http-request

spoe-message copies
    args one=req.body two=req.body three=req.body
    event on-frontend-http-request if { path_beg /copies }
`
}

const summedRules = `
    option http-buffer-request
    http-request return status 200 hdr X-Sums "%[var(sess.sums.client)],%[var(txn.sums.request)],%[var(txn.sums.body)],%[var(txn.sums.copies)]" hdr X-Path "%[var(txn.sums.request_path)]" hdr X-Error "%[var(txn.sums.error)]"`

// sums sets, for each message, a variable to a sum of all that is in it, and of
// salt: another byte anywhere is another ACK. The arguments of request go back,
// too, so that ACKs have values of all types.
func sums(salt string) spoe.Handler {
	return spoe.HandlerFunc(func(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
		scope := spoe.VarScopeTransaction
		if msg.Name == "client" {
			scope = spoe.VarScopeSession
		}
		all := salt + msg.Name
		for name, v := range msg.Args.All() {
			all += fmt.Sprintf("\n%s=%v %v", name, v.Type(), v.Any())
		}
		if err := acts.SetString(scope, msg.Name, fmt.Sprintf("%.4x", sha256.Sum256([]byte(all)))); err != nil || msg.Name != "request" {
			return err
		}
		for name, v := range msg.Args.All() {
			if err := acts.SetValue(scope, "request_"+name, v); err != nil {
				return err
			}
		}
		return nil
	})
}

// summed is the result of requests through HAProxy.
type summed struct {
	answers []string // by request
	tooBig  int      // requests whose NOTIFY HAProxy did not send
}

// askSums has several clients request at once, n requests with bodies of these
// sizes in turn, each over a connection of its own.
func askSums(t *testing.T, bin haproxytest.Binary, agent, lines string, n int, sizes []int) summed {
	t.Helper()
	h := haproxytest.Start(t, bin, haproxytest.Config{
		Agent: agent,
		Files: map[string]string{"spoe.conf": summedConf(lines)},
		Rules: summedRules,
	})
	defer h.Close()
	s := summed{answers: make([]string, n)}
	ask := func(i int) (string, error) {
		path := "/" + strconv.Itoa(i)
		if i%3 == 0 {
			path = "/copies" + path
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.URL+path, bytes.NewReader(summedBody(sizes[i%len(sizes)])))
		if err != nil {
			return "", err
		}
		req.Close = true
		req.Header.Set("X-IP6", "2001:db8::1")
		resp, err := h.Client().Do(req)
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		return strings.Join([]string{resp.Header.Get("X-Sums"), resp.Header.Get("X-Path"), resp.Header.Get("X-Error")}, "|"), err
	}
	const clients = 5
	var asking sync.WaitGroup
	for first := range clients {
		asking.Go(func() { // ends with its requests, which HAProxy answers in any case
			for i := first; i < n; i += clients {
				answer, err := ask(i)
				assert.NoError(t, err)
				s.answers[i] = answer
			}
		})
	}
	asking.Wait()
	for _, answer := range s.answers {
		if strings.HasSuffix(answer, "|3") && bin.AtLeast("3.1") {
			s.tooBig++
			continue
		}
		assert.True(t, strings.HasSuffix(answer, "|"), "an SPOE error: %s", answer)
	}
	for _, l := range h.WaitSPOELogs(n) { // HAProxy drops some where its threads have much to log
		line, ok := status.Parse(l.Line)
		assert.True(t, ok, l.Line)
		assert.Contains(t, []int{1, 5}, len(line.Timers), l.Line)
	}
	return s
}

// summedBody is a body of this many bytes, each size another.
func summedBody(size int) []byte { return randomBytes(20_000)[20_000-size:] }

// TestTapHAProxy stands between a real HAProxy and an agent: requests are answered as
// without it, and its recording replays to the same ACKs.
func TestTapHAProxy(t *testing.T) {
	const n = 60
	for _, tt := range []struct {
		name  string
		lines string
		sizes []int // every third request has three copies of its body
		big   bool  // some NOTIFYs are larger than a frame: fragments up to 3.0, not sent later
	}{
		{"whole NOTIFYs", "", []int{0, 1, 300, 4000}, false},
		{"large NOTIFYs", "", []int{10, 12_000}, true},
		{"small frames", "max-frame-size 512", []int{10, 3000}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
				agent := serve(t, loopback, func(a *spoe.Agent) { a.Handler = sums("") })
				file := filepath.Join(t.TempDir(), "rec")
				tp := startTap(t, agent, "--record", file)
				direct := askSums(t, bin, agent, tt.lines, n, tt.sizes)
				assert.Equal(t, direct, askSums(t, bin, tp.addr, tt.lines, n, tt.sizes))
				assert.Regexp(t, `^[0-9a-f]{8},[0-9a-f]{8},[0-9a-f]{8},\|/2\|$`, direct.answers[2])
				assert.Equal(t, tt.big && bin.AtLeast("3.1"), direct.tooBig > 0)

				got := tp.stop(t)
				sent := 2*n - direct.tooBig
				assert.NotContains(t, got.out, "malformed")
				assert.Contains(t, got.err, fmt.Sprintf(" %d NOTIFYs, %d ACKs\n", sent, sent))
				rec := summedRecording(t, file, sent)
				assert.Equal(t, tt.big && !bin.AtLeast("3.1"), rec.fragments > 0, "%d fragments", rec.fragments)
				assert.Equal(t, 3, rec.messages, "messages in one NOTIFY")
				assert.Contains(t, rec.bodies, tt.sizes[0], "bodies in NOTIFYs")

				r := run(t, "replay", file, agent)
				assert.Zero(t, r.status, r.out)
				assert.Equal(t, fmt.Sprintf("%d NOTIFYs: %d answered the same, 0 different or not, 0 not compared\n", sent, sent), r.out)
				other := serve(t, loopback, func(a *spoe.Agent) { a.Handler = sums("other") })
				r = run(t, "replay", file, other)
				assert.Equal(t, 1, r.status)
				assert.Contains(t, r.out, fmt.Sprintf("%d NOTIFYs: 0 answered the same, %d different or not, 0 not compared\n", sent, sent))
				if !tt.big { // the generator sends no fragments
					r = run(t, "bench", agent, "--recording", file, "--check", "--count", "500", "-c", "2")
					assert.Zero(t, r.status, r.err)
				}
			})
		})
	}
}

// summedRecord is the content of a recording.
type summedRecord struct {
	fragments int   // frames that begin a NOTIFY and do not end it
	messages  int   // the most in one NOTIFY
	bodies    []int // the sizes of the bodies in it
}

// summedRecording reads a recording that must have so many NOTIFYs, all with
// their ACKs.
func summedRecording(t *testing.T, file string, notifies int) summedRecord {
	t.Helper()
	rec, err := recording.Open(file)
	require.NoError(t, err)
	var s summedRecord
	for _, r := range rec.Records {
		f, err := codec.ParseFrame(r.Frame[codec.LengthSize:])
		require.NoError(t, err)
		if f.Type == codec.FrameNotify && !f.FIN() {
			s.fragments++
		}
	}
	exchanges, err := rec.Exchanges()
	require.NoError(t, err)
	require.Len(t, exchanges, notifies)
	for _, e := range exchanges {
		assert.True(t, e.Acked)
		n, err := codec.CheckMessages(e.Notify)
		require.NoError(t, err)
		s.messages = max(s.messages, n)
		for m := codec.NewMessages(e.Notify); m.Next(); {
			if v, ok := m.Message().Args.Lookup("body"); ok {
				body := v.Bytes()
				assert.True(t, bytes.Equal(body, summedBody(len(body))), "%d bytes", len(body))
				s.bodies = append(s.bodies, len(body))
			}
		}
	}
	return s
}

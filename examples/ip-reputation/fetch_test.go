package main_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/spoe/spoetest"
)

// A list comes from its URL, while the agent answers; a publisher that hangs and one that
// sends an error page change nothing, and the next agent begins with the copy on disk.
func TestListByURL(t *testing.T) {
	var text atomic.Value
	text.Store("192.0.2.1\n")
	var asked atomic.Int64
	hold := make(chan struct{})
	publisher := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 1 {
			<-hold
		}
		fmt.Fprint(w, text.Load())
	}))
	defer publisher.Close()
	path := filepath.Join(t.TempDir(), "drop.txt")
	list := "name=drop,score=10,url=" + publisher.URL + ",path=" + path
	a := startAgent(t, "-list", list, "-fetch-every", "50ms")
	haproxy, err := spoetest.Dial(t.Context(), "tcp", a.Addr(t))
	require.NoError(t, err)
	defer haproxy.Close()
	score := func(addr string) int64 {
		got, err := haproxy.Ask(t.Context(), "ip-rep", spoetest.Arg("ip", netip.MustParseAddr(addr)))
		require.NoError(t, err)
		return got.Int("sess.ip_score")
	}
	require.Eventually(t, func() bool { return asked.Load() == 1 }, patience, time.Millisecond)
	assert.EqualValues(t, 100, score("192.0.2.1"), "the fetch hangs, the agent answers")
	close(hold)
	require.Eventually(t, func() bool { return score("192.0.2.1") == 10 }, patience, 5*time.Millisecond)

	text.Store("<html>Try later.</html>\n")
	a.Log.Wait(t, `level=ERROR msg="not fetched, the file stays as it is" list=drop url=\S+ path=\S+ error=`)
	assert.EqualValues(t, 10, score("192.0.2.1"))
	text.Store("192.0.2.2\n")
	require.Eventually(t, func() bool { return score("192.0.2.2") == 10 }, patience, 5*time.Millisecond)

	require.NoError(t, haproxy.Close())
	a.End(t)
	publisher.Close()
	require.FileExists(t, path)
	a = startAgent(t, "-list", list)
	haproxy, err = spoetest.Dial(t.Context(), "tcp", a.Addr(t))
	require.NoError(t, err)
	assert.EqualValues(t, 10, score("192.0.2.2"))
	require.NoError(t, os.Remove(path+".fetch"))
}

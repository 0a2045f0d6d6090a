package service_test

import (
	"context"
	"net"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/service"
	"github.com/spoke-go/spoke/service/servicetest"
)

// pagesAgent serves a page at addr that answers when go is closed.
func pagesAgent(addr string, begun, release chan struct{}) service.Agent[struct{}] {
	return service.Agent[struct{}]{Name: "pages", Setup: func(_ context.Context, s *service.Setup[struct{}]) error {
		s.Serve(addr, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/slow" {
				close(begun)
				<-release
			}
			w.WriteHeader(http.StatusTeapot)
		}))
		return nil
	}}
}

// TestServe: pages are there with the agent, and an answer that is under way at its end
// arrives.
func TestServe(t *testing.T) {
	begun, release := make(chan struct{}), make(chan struct{})
	a := servicetest.Start(t, pagesAgent("127.0.0.1:0", begun, release))
	url := "http://" + a.Log.Wait(t, `msg=pages address=(\S+)`)[1]
	status, _ := servicetest.Get(t, url+"/")
	assert.Equal(t, http.StatusTeapot, status)
	got := make(chan int, 1)
	go func() { // ends with the answer
		resp, err := http.Get(url + "/slow")
		if err != nil {
			got <- 0
			return
		}
		defer resp.Body.Close()
		got <- resp.StatusCode
	}()
	<-begun
	a.Stop()
	require.Eventually(t, func() bool { // it listens no more
		c, err := net.Dial("tcp", url[len("http://"):])
		if err == nil {
			c.Close()
		}
		return err != nil
	}, servicetest.Patience, 1e6)
	close(release)
	assert.Equal(t, http.StatusTeapot, <-got)
	a.End(t)
}

// TestServeNoAddress: an address that is taken ends the program, and -t does not listen.
func TestServeNoAddress(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	a := pagesAgent(l.Addr().String(), nil, nil)
	status, out, errs := servicetest.Once(t, a, nil, "-t")
	assert.Zero(t, status, out+errs)
	status, _, errs = servicetest.Once(t, a, nil, "-listen", "127.0.0.1:0", "-admin-listen", "off")
	assert.Equal(t, 1, status)
	assert.Contains(t, errs, "cannot serve the agent's pages")
}

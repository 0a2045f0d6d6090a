package e2e_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// load is clients that request over connections that they keep, each as fast as
// it is answered.
type load struct {
	addr    string
	stopped chan struct{}
	pause   func() time.Duration // between two requests of a client; nil: none
	running sync.WaitGroup

	mu      sync.Mutex // guards outcome
	outcome outcome
}

// outcome is the result of a load, seen by its clients.
type outcome struct {
	Responses int
	Errors    map[string]int // responses with the variable of `option set-on-error`, by its value
	Undecided int            // responses without error and without the agent's decision
	Broken    int            // requests without a response
	Longest   time.Duration
	// LongestEnd is the longest end of an agent, if the test ends any.
	LongestEnd time.Duration
}

func (o outcome) String() string {
	return fmt.Sprintf("%d responses, %d with an SPOE error %v, %d undecided, %d broken, longest %v",
		o.Responses, o.failed(), o.Errors, o.Undecided, o.Broken, o.Longest)
}

func (o outcome) failed() int {
	var sum int
	for _, n := range o.Errors {
		sum += n
	}
	return sum
}

// decided is the frontend's rule that tells a load what came of a request.
const decided = `
    http-request return status 200 hdr x-error "%[var(txn.e2e.error)]" hdr x-decision "%[var(txn.e2e.decision)]"`

// startLoad has clients request from addr until the load's end.
func startLoad(t *testing.T, addr string, clients int) *load {
	return startPacedLoad(t, addr, clients, nil)
}

// startPausingLoad is startLoad with clients that pause for up to 2 s between two requests,
// so that connections to the agents are quiet now and then.
func startPausingLoad(t *testing.T, addr string, clients int) *load {
	return startPacedLoad(t, addr, clients, func() time.Duration { return rand.N(2 * time.Second) })
}

func startPacedLoad(t *testing.T, addr string, clients int, pause func() time.Duration) *load {
	l := &load{addr: addr, pause: pause, stopped: make(chan struct{}), outcome: outcome{Errors: map[string]int{}}}
	for range clients {
		l.running.Go(l.client) // ends with stopped
	}
	t.Cleanup(func() { l.end() })
	return l
}

// end ends the load and returns what came of it.
func (l *load) end() outcome {
	select {
	case <-l.stopped:
	default:
		close(l.stopped)
	}
	l.running.Wait()
	return l.outcome
}

func (l *load) client() {
	for {
		select {
		case <-l.stopped:
			return
		default:
		}
		if !l.connection() {
			time.Sleep(10 * time.Millisecond) // there is no HAProxy
		}
	}
}

// connection requests over one connection until HAProxy closes it. It returns
// false if not even the first request was answered.
func (l *load) connection() bool {
	nc, err := net.DialTimeout("tcp", l.addr, 5*time.Second)
	if err != nil {
		l.count(nil, 0)
		return false
	}
	defer nc.Close()
	request := []byte("GET / HTTP/1.1\r\nHost: e2e.test\r\n\r\n")
	r := bufio.NewReader(nc)
	for first := true; ; first = false {
		select {
		case <-l.stopped:
			return true
		default:
		}
		if l.pause != nil {
			select {
			case <-time.After(l.pause()):
			case <-l.stopped:
				return true
			}
		}
		begin := time.Now()
		err := nc.SetDeadline(begin.Add(20 * time.Second))
		if err == nil {
			_, err = nc.Write(request)
		}
		if err == nil {
			_, err = r.Peek(1)
		}
		// A connection that was idle may be closed at any time: a request that
		// goes out at that moment is sent again on another, as browsers do.
		if err != nil {
			if first || time.Since(begin) > time.Second {
				l.count(nil, time.Since(begin))
			}
			return !first
		}
		resp, err := http.ReadResponse(r, nil)
		if err == nil {
			_, err = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
		if err != nil {
			l.count(nil, time.Since(begin))
			return !first
		}
		l.count(resp, time.Since(begin))
		if resp.Close {
			return true
		}
	}
}

func (l *load) count(resp *http.Response, took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	o := &l.outcome
	o.Longest = max(o.Longest, took)
	if resp == nil {
		o.Broken++
		return
	}
	o.Responses++
	switch failed, decision := resp.Header.Get("X-Error"), resp.Header.Get("X-Decision"); {
	case failed != "":
		o.Errors[failed]++
	case decision != "pass 127.0.0.1":
		o.Undecided++
	}
}

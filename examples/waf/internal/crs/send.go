package crs

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"time"
)

// sendLimit bounds one request with its response.
const sendLimit = 2 * time.Minute

// Answer is a response. Status is 0 if there was none.
type Answer struct {
	Status int
	Header http.Header
	Err    error
}

// Send sends a request as it is, valid or not, and reads the response.
func Send(addr string, request []byte) Answer {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return Answer{Err: err}
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(sendLimit))
	go func() { _, _ = conn.Write(request) }() // ends with the connection; the response may come before the end
	method, _, _ := bytes.Cut(request, []byte(" "))
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: string(method)})
	if err != nil {
		return Answer{Err: err}
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return Answer{Status: resp.StatusCode, Header: resp.Header}
}

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/router"
)

// Headers of copies that requests do not have.
const (
	markHeader       = "X-Mirrored-By"       // the target's name; such a request is not copied again
	incompleteHeader = "X-Mirror-Incomplete" // the number of bytes that are there
)

// maxAnswer is the maximum size of an answer that is read to its end, in bytes, so that
// its connection can be used again; a longer answer ends the connection.
const maxAnswer = 256 << 10

// copy sends a request to the target and waits for the answer.
func (t *running) copy(ctx context.Context, r *Request, c *Config) error {
	begun := time.Now()
	whole := r.Body.State() == router.BodyWhole
	if !whole && c.Incomplete == "drop" {
		t.counts.add(ctx, t.name, "incomplete")
		return nil
	}
	ctx, end := t.span(ctx)
	status, err := t.send(ctx, r, whole)
	took := time.Since(begun)
	end(t.counts.done(ctx, t.name, took, status, err), status)
	if err != nil {
		t.note(err)
	}
	if c.LogCopies {
		t.log.InfoContext(ctx, "copy", "target", t.name, "method", r.Method, "url", codec.OriginForm(r.URL), "bytes", len(r.Body.Bytes),
			"whole", whole, "status", status, "duration", took, "error", err)
	}
	return nil // failures are counted and logged here
}

// send returns the status of the target's answer, or 0.
func (t *running) send(ctx context.Context, r *Request, whole bool) (status int, err error) {
	req, err := t.request(ctx, r, whole)
	if err != nil {
		return 0, err
	}
	resp, err := t.transport.RoundTrip(req) // does not follow redirects
	if err != nil {
		return 0, err
	}
	_, err = io.CopyN(io.Discard, resp.Body, maxAnswer)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return resp.StatusCode, errors.Join(err, resp.Body.Close())
}

// request makes the copy. It keeps the request's method, target, headers and body byte for
// byte. It drops hop-by-hop headers and changes the headers that the settings name.
func (t *running) request(ctx context.Context, r *Request, whole bool) (*http.Request, error) {
	target := codec.OriginForm(r.URL)
	if r.Method == http.MethodConnect || target != "*" && !strings.HasPrefix(target, "/") {
		return nil, errors.New("CONNECT cannot be copied: leave it out by the target's setting method, or in HAProxy")
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, t.URL, bytes.NewReader(r.Body.Bytes))
	if err != nil {
		return nil, err
	}
	if err := t.setTarget(req.URL, target); err != nil {
		return nil, err
	}
	var host string
	req.Header, host = t.headers(r.Headers)
	switch t.Host {
	case "", "keep":
		req.Host = host
	case "url":
		req.Host = t.url.Host
	default:
		req.Host = t.Host
	}
	req.Header[strings.ToLower(markHeader)] = []string{t.name}
	if !whole {
		req.Header[strings.ToLower(incompleteHeader)] = []string{strconv.Itoa(len(r.Body.Bytes))}
	}
	return req, nil
}

// setTarget sets u to the target's URL followed by the request's path and query.
func (t *running) setTarget(u *url.URL, target string) error {
	*u = *t.url
	if target != "*" {
		target = t.url.Path + target
	}
	if !strings.HasPrefix(target, "//") {
		u.Path, u.Opaque = "", target // is sent unchanged
		return nil
	}
	// Opaque would be sent with the scheme before it.
	path, query, found := strings.Cut(target, "?")
	u.RawPath, u.RawQuery, u.ForceQuery = path, query, found && query == ""
	var err error
	u.Path, err = url.PathUnescape(path)
	return err
}

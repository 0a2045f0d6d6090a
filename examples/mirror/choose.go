package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
)

// outline is the part of a request that decides about copies.
type outline struct {
	method, target string
	headers        codec.HeaderBlock
}

// glance reads an outline without decoding the message.
func glance(msg *spoe.Message) (o outline) {
	for name, v := range msg.Args.All() {
		switch name {
		case "method":
			o.method = v.Str()
		case "url":
			o.target = codec.OriginForm(v.Str())
		case "headers":
			o.headers = codec.NewHeaderBlock(v.Bytes())
		}
	}
	return o
}

// choose returns the targets that get a copy. A request that is itself a copy gets no
// copy: a target led back to HAProxy.
func (ts targets) choose(ctx context.Context, o outline) (chosen []*running) {
	if len(ts) == 0 {
		return nil
	}
	_, again := o.headers.Get(markHeader)
	for _, t := range ts {
		switch {
		case again:
			t.counts.add(ctx, t.name, "looped")
		case t.wants(o):
			chosen = append(chosen, t)
		}
	}
	return chosen
}

func (t *running) wants(o outline) bool {
	return (len(t.Method) == 0 || slices.Contains(t.Method, o.method)) &&
		(len(t.Path) == 0 || slices.ContainsFunc(t.Path, func(p string) bool { return strings.HasPrefix(o.target, p) })) &&
		(len(t.Header) == 0 || slices.ContainsFunc(t.Header, o.has)) &&
		t.drawn(o)
}

// has reports whether the request has a header, given as X-Beta or X-Beta: yes.
func (o outline) has(header string) bool {
	want, wantValue, valued := strings.Cut(header, ":")
	wantValue = strings.TrimSpace(wantValue)
	for name, value := range o.headers.All() {
		if strings.EqualFold(name, want) && (!valued || value == wantValue) {
			return true
		}
	}
	return false
}

// drawn decides by the target's share. All agents decide the same for one value of
// ShareBy, also after a restart.
func (t *running) drawn(o outline) bool {
	if t.ShareBy == "" {
		return rand.Float64()*100 < t.share
	}
	value, _ := o.headers.Get(t.ShareBy)
	sum := sha256.Sum256([]byte(value))
	return float64(binary.BigEndian.Uint64(sum[:]))/(1<<64)*100 < t.share
}

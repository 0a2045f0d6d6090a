package e2e_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/spoe"
)

// trail is a handler that keeps the messages, and sets a variable for each
// message to how many there were by then, and last to its name.
type trail struct{ recorder }

func (r *trail) ServeSPOE(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
	if err := r.recorder.ServeSPOE(ctx, msg, acts); err != nil {
		return err
	}
	r.mu.Lock()
	place := len(r.msgs)
	r.mu.Unlock()
	if err := acts.SetInt(spoe.VarScopeSession, "place."+strings.ReplaceAll(msg.Name, "-", "_"), int64(place)); err != nil {
		return err
	}
	return acts.SetString(spoe.VarScopeSession, "last", msg.Name)
}

func names(msgs []*spoe.Message) []string {
	var s []string
	for _, m := range msgs {
		s = append(s, m.Name)
	}
	return s
}

// TestManyMessages makes HAProxy send 40 messages in one NOTIFY.
func TestManyMessages(t *testing.T) {
	const n = 40
	var messages, sections, rules string
	var want []string
	for i := range n {
		name := "m" + strconv.Itoa(i)
		want = append(want, name)
		messages += " " + name
		sections += "\nspoe-message " + name + "\n    args path=path n=int(" + strconv.Itoa(i) + ")\n    event on-frontend-http-request\n"
		rules += "\n    http-after-response add-header X-Place \"%[var(sess.e2e.place." + name + ")]\""
	}
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		rec := new(trail)
		a := startHandler(t, rec)
		h := setup(t, bin, a.addr, spoeConf("messages"+messages, sections), rules+`
    http-after-response set-header X-Last "%[var(sess.e2e.last)]"`)
		resp := h.Get("/")
		assert.Equal(t, "m39", resp.Header.Get("X-Last"))
		for i, place := range resp.Header.Values("X-Place") {
			assert.Equal(t, strconv.Itoa(i+1), place)
		}
		msgs := rec.take()
		assert.Equal(t, want, names(msgs), "in the order of `messages`")
		for i, m := range msgs {
			assert.Equal(t, msgs[0].StreamID(), m.StreamID())
			assert.Equal(t, msgs[0].FrameID(), m.FrameID())
			assert.Equal(t, map[string]any{"path": "/", "n": i}, m.Args.Map())
		}
		assert.EqualValues(t, 1, a.Stats().Notifies)
		assert.Zero(t, h.WaitSPOELogs(1)[0].Status)
	})
}

// TestEvents makes HAProxy send a message at each event of an HTTP request, and
// groups from its rules.
func TestEvents(t *testing.T) {
	events := []string{
		"on-client-session", "on-frontend-tcp-request", "on-frontend-http-request",
		"on-backend-tcp-request", "on-backend-http-request", "on-server-session", "on-tcp-response", "on-http-response",
	}
	var messages, sections string
	for _, e := range events {
		messages += " " + e
		sections += "\nspoe-message " + e + "\n    args src\n    event " + e + "\n"
	}
	sections += `
spoe-message one
    args path=path
spoe-message two
    args path=path
spoe-message three
    args status=status
spoe-group requests
    messages one two
spoe-group responses
    messages three`
	const rules = `
    http-request send-spoe-group e2e requests if { path /group }
    http-response send-spoe-group e2e responses if { var(sess.e2e.place.one) -m found }
    http-after-response set-header X-Last "%[var(sess.e2e.last)]"`

	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		rec := new(trail)
		a := startHandler(t, rec)
		h := setup(t, bin, a.addr, spoeConf("messages"+messages+"\n    groups requests responses", sections), rules)

		resp := h.Get("/")
		got := names(rec.take())
		t.Logf("the events of a request: %v", got)
		assert.Equal(t, 200, resp.Status)
		assert.Equal(t, got[len(got)-1], resp.Header.Get("X-Last"))
		for _, e := range []string{"on-client-session", "on-frontend-http-request", "on-server-session", "on-http-response"} {
			assert.Contains(t, got, e)
		}
		assert.True(t, slices.IsSortedFunc(got, func(a, b string) int {
			return slices.Index(events, a) - slices.Index(events, b)
		}), "in the order in which they happen: %v", got)

		if !bin.AtLeast("2.4.1") {
			return // it asks for ever where an engine has events and groups on one stream
		}
		h.Client().CloseIdleConnections()
		resp = h.Get("/group")
		assert.Equal(t, 200, resp.Status)
		msgs := rec.take()
		got = names(msgs)
		one, three := slices.Index(got, "one"), slices.Index(got, "three")
		require.Positive(t, one, "%v", got)
		require.Greater(t, three, one, "%v", got)
		assert.Equal(t, "two", got[one+1])
		assert.Equal(t, map[string]any{"path": "/group"}, msgs[one].Args.Map())
		assert.Equal(t, map[string]any{"status": 200}, msgs[three].Args.Map())
		assert.Equal(t, msgs[one].StreamID(), msgs[one+1].StreamID())

		var groups []string
		for _, l := range h.WaitSPOELogs(2*(len(got)-3) + 2) {
			assert.Zero(t, l.Status, l.Line)
			if l.Group {
				groups = append(groups, l.Event)
			}
		}
		assert.Equal(t, []string{"requests", "responses"}, groups)
		assert.Empty(t, a.logs.complaints())
	})
}

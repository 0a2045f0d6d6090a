package main

import (
	"encoding/json"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/examples/waf/internal/rules"
	"github.com/spoke-go/spoke/service/servicetest"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// posted are the arguments of a message about a form.
func posted(form string) []spoetest.Argument {
	args := request("/")
	args[0] = spoetest.Arg("method", "POST")
	var headers []byte
	for _, s := range []string{"host", "site", "user-agent", "test", "accept", "*/*", "content-type", "application/x-www-form-urlencoded", "content-length", strconv.Itoa(len(form)), "", ""} {
		headers = append(append(headers, byte(len(s))), s...)
	}
	args[3] = spoetest.Arg("headers", codec.Binary(headers))
	return append(args, spoetest.Arg("body", form))
}

// TestDeadline: a message whose rules take too long is answered at its deadline, without
// a verdict. Large ones leave places for others, and what they held is freed when their
// rules have ended.
func TestDeadline(t *testing.T) {
	a := startAgent(t, "", "-timeout", "50ms", "-concurrency", "2")
	hello := spoetest.DefaultHello()
	hello.MaxFrameSize = 1 << 17
	dial := func() *spoetest.Client {
		client, err := (&spoetest.Dialer{Hello: &hello}).Dial(t.Context(), "tcp", a.Addr(t))
		require.NoError(t, err)
		t.Cleanup(func() { client.Close() })
		return client
	}
	// This takes the rules some 0.3 s on an idle machine, and a hundred times that
	// under the race detector on a busy one.
	slow := posted("a=" + strings.Repeat("; cat ", 3500))
	answers := make(chan spoetest.Vars, 4)
	for range cap(answers) {
		client := dial()
		go func() { // ends with its answer
			vars, err := client.Ask(t.Context(), "waf-request", slow...)
			assert.NoError(t, err)
			answers <- vars
		}()
	}
	for range cap(answers) {
		assert.Empty(t, <-answers, "a verdict after the deadline is no verdict")
	}
	client := dial()
	require.Eventually(t, func() bool {
		vars, err := client.Ask(t.Context(), "waf-request", request("/")...)
		return err == nil && vars.Has("txn.id")
	}, servicetest.Patience, time.Millisecond, "one place is for small messages")
	a.Log.Wait(t, `message failed.*(deadline|did not end|timeout|within)`)
	require.Eventually(t, func() bool {
		_, text := servicetest.Get(t, a.Admin(t)+"/metrics")
		return strings.Contains(text, "\nspop_server_late_handlers 0\n")
	}, 3*time.Minute, 50*time.Millisecond, "the late rules end")
}

// TestAuditLog: Coraza's audit log is JSON, with the transaction that HAProxy knows.
func TestAuditLog(t *testing.T) {
	path := t.TempDir() + "/audit.log"
	a := startAgent(t, "", "-audit-log", path)
	client, err := spoetest.Dial(t.Context(), "tcp", a.Addr(t))
	require.NoError(t, err)
	defer client.Close()
	vars, err := client.Ask(t.Context(), "waf-request", append(posted("id=1' or '1'='1"), spoetest.Arg("id", "its-id"))...)
	require.NoError(t, err)
	require.Equal(t, "deny", vars.Str("txn.action"))
	assert.Equal(t, "its-id", vars.Str("txn.id"))
	assert.Equal(t, "942100 ARGS:id", vars.Str("txn.matched"))
	var line struct {
		Transaction struct{ ID string }
		Messages    json.RawMessage
	}
	require.Eventually(t, func() bool {
		text, _ := os.ReadFile(path)
		return json.Unmarshal(text, &line) == nil
	}, servicetest.Patience, time.Millisecond)
	assert.Equal(t, "its-id", line.Transaction.ID)
	assert.Contains(t, string(line.Messages), "942100")
}

// TestAuditRecords: the entries of the audit log are log records of OpenTelemetry, too,
// with or without a file, as the rules select them, and with the request's trace.
func TestAuditRecords(t *testing.T) {
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	for _, tt := range []struct {
		name, settings string
		flags          []string
	}{
		{"no file", "", nil},
		{"a file of the settings", "", []string{"-audit-log", "AUDIT"}},
		{"a file of the rules", "applications: [{name: default, directives: '" + rules.CoreRuleSet + "\n\nSecAuditLog AUDIT\n\nSecAuditLogFormat Native'}]", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			collector := servicetest.StartCollector(t)
			t.Setenv("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", collector.URL)
			t.Setenv("OTEL_TRACES_EXPORTER", "console")
			path := t.TempDir() + "/audit.log"
			settings := strings.ReplaceAll(strings.ReplaceAll(tt.settings, "AUDIT", path), rules.CoreRuleSet, strings.ReplaceAll(rules.CoreRuleSet, "\n", "\n\n"))
			for i, flag := range tt.flags {
				tt.flags[i] = strings.ReplaceAll(flag, "AUDIT", path)
			}
			a := startAgent(t, settings, tt.flags...)
			client, err := spoetest.Dial(t.Context(), "tcp", a.Addr(t))
			require.NoError(t, err)
			defer client.Close()
			for _, id := range []string{"harmless", "its-id"} {
				form := map[string]string{"harmless": "id=1", "its-id": "id=1' or '1'='1"}[id]
				_, err := client.Ask(t.Context(), "waf-request", append(posted(form), spoetest.Arg("id", id), spoetest.Arg("src", netip.MustParseAddr("192.0.2.7")),
					spoetest.Arg("traceparent", "00-"+trace+"-00f067aa0ba902b7-01"))...)
				require.NoError(t, err)
			}
			a.End(t)
			got := collector.Record(t)
			assert.Equal(t, "waf.audit", got.Event)
			assert.Equal(t, "WARN", got.Severity)
			assert.Equal(t, trace, got.TraceID)
			assert.Contains(t, got.Attributes["waf.rules"], int64(942100))
			delete(got.Attributes, "waf.rules")
			assert.Equal(t, map[string]any{"waf.transaction": "its-id", "waf.application": "default", "client.address": "192.0.2.7",
				"http.request.method": "POST", "waf.action": "deny", "waf.rule": int64(949110)}, got.Attributes)
			var entry struct{ Transaction struct{ ID string } }
			require.NoError(t, json.Unmarshal([]byte(got.Body), &entry))
			assert.Equal(t, "its-id", entry.Transaction.ID)
			if tt.name != "no file" {
				text, err := os.ReadFile(path)
				require.NoError(t, err)
				assert.Equal(t, got.Body+"\n", string(text))
			}
		})
	}
}

// TestWatch: a request that is only watched is acknowledged before its rules run, which
// are counted all the same.
func TestWatch(t *testing.T) {
	a := startAgent(t, "")
	client, err := spoetest.Dial(t.Context(), "tcp", a.Addr(t))
	require.NoError(t, err)
	defer client.Close()
	vars, err := client.Ask(t.Context(), "waf-watch", posted("id=1' or '1'='1")...)
	require.NoError(t, err)
	assert.Empty(t, vars)
	a.Scrape(t, `waf_rule_hits_total{waf_application="default",waf_rule="942100"} 1`)
}

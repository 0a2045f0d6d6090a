package spoe

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestRule holds the verdict on a connection, and when to look again.
func TestRule(t *testing.T) {
	const s = int64(time.Second)
	l := &limits{hello: 10 * time.Second, read: 10 * time.Second, write: 10 * time.Second, idle: 600 * time.Second}
	at := func(change func(*times)) times {
		k := times{start: 0, lastFrame: 100 * s, frameSince: never, payloadSince: never, writeSince: never, plan: noRetirement, heldSince: never}
		change(&k)
		return k
	}
	plan := func(from int64) func(*times) {
		return func(k *times) { k.plan = retirement{at: from, quiet: time.Second, force: never, late: never} }
	}
	for _, tt := range []struct {
		name string
		p    phase
		k    times
		t    int64
		want verdict
		next int64
	}{
		{"greeting, in time", greeting, at(func(*times) {}), 10*s - 1, keep, 10 * s},
		{"greeting, too late", greeting, at(func(*times) {}), 10 * s, noHello, 10 * s},
		{"greeting, retired too early", greeting, at(plan(5 * s)), 5*s - 1, keep, 5 * s},
		{"greeting, retired", greeting, at(plan(5 * s)), 5 * s, unused, 5 * s},
		{"greeting, retired, but just accepted", greeting, at(plan(0)), 1*s - 1, keep, 1 * s},
		{"open, nothing due", open, at(func(*times) {}), 101 * s, keep, 700 * s},
		{"open, a reader that can rest", open, at(func(k *times) { k.awake = true }), 103*s - 1, keep, 103 * s},
		{"open, a reader that should rest", open, at(func(k *times) { k.awake = true }), 103 * s, tired, 103 * s},
		{"open, a reader with work does not rest", open, at(func(k *times) { k.awake, k.busy = true, true }), 103 * s, keep, 106 * s},
		{"retiring, a reader does not rest", retiring, at(func(k *times) { plan(200 * s)(k); k.awake = true }), 103 * s, keep, 200 * s},
		{"open, idle", open, at(func(*times) {}), 700 * s, idle, 700 * s},
		{"open, just not idle", open, at(func(*times) {}), 700*s - 1, keep, 700 * s},
		{"open, busy for long", open, at(func(k *times) { k.busy = true }), 900 * s, keep, 903 * s},
		{"open, busy, and HAProxy was there", open, at(func(k *times) { k.busy, k.looked = true, 899*s }), 900 * s, keep, 902 * s},
		{"write under way", open, at(func(k *times) { k.writeSince = 100 * s }), 110*s - 1, keep, 110 * s},
		{"write that does not end", open, at(func(k *times) { k.writeSince = 100 * s }), 110 * s, notReading, 110 * s},
		{"the last write does not end", closing, at(func(k *times) { k.writeSince = 100 * s }), 110 * s, notReading, 110 * s},
		{"closing has no other rule", closing, at(func(*times) {}), 900 * s, keep, never},
		{"closed has no rule", closed, at(func(k *times) { k.writeSince = 100 * s }), 900 * s, keep, never},
		{"part of a frame", open, at(func(k *times) { k.frameSince = 100 * s }), 110*s - 1, keep, 110 * s},
		{"part of a frame for too long", open, at(func(k *times) { k.frameSince = 100 * s }), 110 * s, slowFrame, 110 * s},
		{"part of a payload", retiring, at(func(k *times) { k.payloadSince = 100 * s }), 110*s - 1, keep, 110 * s},
		{"part of a payload for too long", retiring, at(func(k *times) { k.payloadSince = 100 * s }), 110 * s, slowPayload, 110 * s},
		{"planned for later", open, at(plan(200 * s)), 150 * s, keep, 200 * s},
		{"retiring, just quiet", retiring, at(plan(50 * s)), 101*s - 1, keep, 101 * s},
		{"retiring, quiet", retiring, at(plan(50 * s)), 101 * s, quiet, 101 * s},
		{"retiring, quiet before the plan", retiring, at(plan(200 * s)), 200 * s, quiet, 200 * s},
		{"retiring, busy", retiring, at(func(k *times) { plan(50 * s)(k); k.busy = true }), 300 * s, keep, 303 * s},
		{"ACKs held back", retiring, at(func(k *times) { plan(50 * s)(k); k.busy = true; k.heldSince = 100 * s }), 100*s + int64(holdQuiet) - 1, keep, 100*s + int64(holdQuiet)},
		{"ACKs held back for a quiet moment", retiring, at(func(k *times) { plan(50 * s)(k); k.busy = true; k.heldSince = 100 * s }), 100*s + int64(holdQuiet), heldLong, 100*s + int64(holdQuiet)},
		{"ACKs held back, and NOTIFYs come", retiring, at(func(k *times) {
			plan(50 * s)(k)
			k.busy, k.heldSince, k.lastFrame = true, 100*s, 100*s+int64(holdMost)-1
		}), 100*s + int64(holdMost) - 1, keep, 100*s + int64(holdMost)},
		{"ACKs held back for too long", retiring, at(func(k *times) {
			plan(50 * s)(k)
			k.busy, k.heldSince, k.lastFrame = true, 100*s, 100*s+int64(holdMost)
		}), 100*s + int64(holdMost), heldLong, 100*s + int64(holdMost)},
		{"a forced end awaits an ACK", retiring, at(func(k *times) { plan(50 * s)(k); k.plan.force = 50 * s }), 101*s - 1, keep, 101 * s},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, next := l.rule(tt.p, tt.k, tt.t)
			assert.Equal(t, tt.want, v)
			assert.Equal(t, tt.next, next)
		})
	}
}

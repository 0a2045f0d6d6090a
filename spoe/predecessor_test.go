package spoe_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/internal/lockedbuffer"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// TestPredecessor uses the predecessor's whole public surface.
func TestPredecessor(t *testing.T) {
	var seen []string
	a := spoe.NewWithConfig(func(messages *spoe.MessageIterator) ([]spoe.Action, error) {
		var actions []spoe.Action
		for messages.Next() {
			msg := messages.Message
			seen = append(seen, fmt.Sprint(msg.Name, " ", msg.Args.Count()))
			switch msg.Name {
			case "args":
				for msg.Args.Next() {
					arg := msg.Args.Arg
					seen = append(seen, fmt.Sprintf("%s=%v (%T)", arg.Name, arg.Value, arg.Value))
				}
			case "map":
				if ip, ok := msg.Args.Map()["ip"].(net.IP); ok {
					actions = append(actions, spoe.ActionSetVar{Name: "ip", Scope: spoe.VarScopeSession, Value: ip})
				}
			case "fail":
				return nil, errors.New("failed")
			case "panic":
				panic("panicked")
			}
		}
		if err := messages.Error(); err != nil {
			return nil, err
		}
		return append(actions,
			spoe.ActionSetVar{Name: "reputation", Scope: spoe.VarScopeProcess, Value: 1.0},
			spoe.ActionSetVar{Name: "bad-name", Scope: spoe.VarScopeRequest, Value: 1},
			spoe.ActionUnsetVar{Name: "old", Scope: spoe.VarScopeResponse},
			nil,
		), nil
	}, spoe.Config{ReadTimeout: time.Second, WriteTimeout: time.Second, IdleTimeout: time.Minute, MaxConnections: 10})
	h := spoetest.NewAgent(t, a)
	got := h.AskAll(
		spoetest.Msg("args", spoetest.Arg("int", -5), spoetest.Arg("uint", uint(7)), spoetest.Arg("s", "x"), spoetest.Arg("b", []byte{1}), spoetest.Arg("null", nil), spoetest.Arg("t", true)),
		spoetest.Msg("map", spoetest.Arg("ip", net.IPv4(192, 0, 2, 1))),
	)
	assert.Equal(t, []string{"args 6", "int=-5 (int)", "uint=7 (uint)", "s=x (string)", "b=[1] ([]uint8)", "null=<nil> (<nil>)", "t=true (bool)", "map 1"}, seen)
	assert.Equal(t, "sess.ip=192.0.2.1 proc.reputation=1 unset(res.old)", got.String(), "one bad name costs its own action only")
	assert.Empty(t, h.Ask("fail").Actions())
	assert.Empty(t, h.Ask("panic").Actions())
	require.NotEmpty(t, h.Ask("other").Actions())
}

func TestDecodeHeaders(t *testing.T) {
	b := codec.AppendHeadersBin(nil, map[string][]string{"Host": {"example.com"}, "X-A": {"1", "2"}})
	got, err := spoe.DecodeHeaders(b)
	require.NoError(t, err)
	assert.Equal(t, []string{"1", "2"}, got.Values("X-A"))
}

// An action that cannot be applied is counted and logged as the failure of the last message
// that was read; the others stay.
func TestPredecessorsBadActions(t *testing.T) {
	log := new(lockedbuffer.Buffer)
	a := spoe.New(func(messages *spoe.MessageIterator) ([]spoe.Action, error) {
		for messages.Next() {
		}
		return []spoe.Action{
			spoe.ActionSetVar{Name: "a", Scope: spoe.VarScopeTransaction, Value: 1},
			spoe.ActionSetVar{Name: "big", Scope: spoe.VarScopeTransaction, Value: strings.Repeat("x", 20_000)},
			spoe.ActionSetVar{Name: "bad name", Scope: spoe.VarScopeTransaction, Value: 1},
			spoe.ActionSetVar{Name: "b", Scope: spoe.VarScopeTransaction, Value: 2},
		}, nil
	})
	a.Logger = slog.New(slog.NewTextHandler(log, nil))
	h := spoetest.NewAgent(t, a)
	assert.Equal(t, "txn.a=1 txn.b=2", h.AskAll(spoetest.Msg("first"), spoetest.Msg("last")).String())
	s := a.Stats()
	assert.EqualValues(t, 1, s.DroppedActions)
	assert.EqualValues(t, 1, s.Errors)
	require.NoError(t, a.Shutdown(t.Context()))
	assert.Equal(t, 2, strings.Count(log.String(), `msg="spoe: message failed" message=last `))
	assert.NotContains(t, log.String(), "message=first")
}

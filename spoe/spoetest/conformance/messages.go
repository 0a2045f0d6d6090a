package conformance

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/internal/sleep"
	"github.com/spoke-go/spoke/spoe"
)

// The messages of the contract. Suite sees more than ACKs of an agent that handles them.
// ContractHandler has them all; an agent in another language implements those it likes, and
// names them in Target.Messages. All numbers are integers of any type, all variables are of
// the scope txn where nothing else is said.
const (
	// MessageEcho sets a variable for each argument, in their order, with the
	// argument's name and value, and of the same type. An argument without a
	// name sets arg0, arg1… by its position.
	MessageEcho = "echo"
	// MessageFail does what MessageEcho does, then fails.
	MessageFail = "fail"
	// MessagePanic does what MessageEcho does, then panics.
	MessagePanic = "panic"
	// MessageSleep waits for the argument ms, in milliseconds, and sets slept to
	// that number as an INT64. It heeds its context.
	MessageSleep = "sleep"
	// MessageHang has a timeout, the argument timeout in milliseconds, but heeds
	// neither that nor the end of the connection: it returns after the argument
	// for, in milliseconds, and sets late to true.
	MessageHang = "hang"
	// MessageWait waits until its context ends, a minute at most, and remembers
	// the argument key if it was the context that ended.
	MessageWait = "wait"
	// MessageEnded sets ended to a BOOL: whether a MessageWait with this key has
	// seen its context end.
	MessageEnded = "ended"
	// MessageBig sets the variable big, or the one that the argument name names, to a
	// STRING of size bytes, the argument size, 4 MiB at most.
	MessageBig = "big"
	// MessageSet sets the variable called by the arguments scope (as in
	// HAProxy's configuration, "sess") and name to the argument value, or unsets
	// it if there is no such argument. If the library refuses that, it sets
	// refused to true instead, and does not fail.
	MessageSet = "set"
	// MessageBind binds its arguments to Go types by their names, and sets a variable for
	// each argument that came, from the bound value: int8, uint8, int32, int64, uint64,
	// bool, float, string, bytes, ip, addr, duration, headers, query, level (a
	// TextUnmarshaler), body (JSON), client.port (nested), id (embedded), and first from a
	// first argument without a name.
	MessageBind = "bind"
	// MessageNull binds zero to an integer, pointer to a pointer to one, and
	// must to a string that is required. It sets zero to the integer and nil to
	// whether the pointer is.
	MessageNull = "null"
)

// ContractMessages returns the names of the messages that ContractHandler has.
func ContractMessages() []string {
	return []string{
		MessageEcho, MessageFail, MessagePanic, MessageSleep, MessageHang, MessageWait, MessageEnded,
		MessageBig, MessageSet, MessageBind, MessageNull,
	}
}

// ContractHandler returns a handler for the contract's messages.
func ContractHandler() spoe.Handler {
	var seen endedKeys
	handlers := map[string]spoe.HandlerFunc{
		MessageEcho: echo,
		MessageFail: func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
			_ = echo(ctx, msg, acts) // it fails in any case
			return fmt.Errorf("failing as asked")
		},
		MessagePanic: func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
			_ = echo(ctx, msg, acts) // it panics in any case
			panic("panicking as asked")
		},
		MessageSleep: serveSleep,
		MessageHang:  serveHang,
		MessageWait:  seen.wait,
		MessageEnded: seen.ended,
		MessageBig:   serveBig,
		MessageSet:   serveSet,
		MessageBind:  serveBind,
		MessageNull:  serveNull,
	}
	return spoe.HandlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
		if h, ok := handlers[msg.Name]; ok {
			return h(ctx, msg, acts)
		}
		return nil
	})
}

func echo(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
	i := 0
	for name, v := range msg.Args.All() {
		if name == "" {
			name = fmt.Sprintf("arg%d", i)
		}
		if err := acts.SetValue(codec.ScopeTransaction, name, v); err != nil {
			return err
		}
		i++
	}
	return nil
}

// number returns an integer argument, 0 if there is none.
func number(msg *spoe.Message, name string) int64 {
	v, _ := msg.Args.Lookup(name)
	n, _ := v.Int()
	return n
}

func text(msg *spoe.Message, name string) string {
	v, _ := msg.Args.Lookup(name)
	return v.Str()
}

func serveSleep(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
	ms := number(msg, "ms")
	if err := sleep.For(ctx, time.Duration(ms)*time.Millisecond); err != nil {
		return err
	}
	return acts.SetInt(codec.ScopeTransaction, "slept", ms)
}

func serveHang(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
	timeout := time.Duration(number(msg, "timeout")) * time.Millisecond
	return msg.ServeWithin(ctx, timeout, spoe.HandlerFunc(func(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
		time.Sleep(time.Duration(number(msg, "for")) * time.Millisecond)
		return acts.SetBool(codec.ScopeTransaction, "late", true)
	}), acts)
}

func serveBig(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
	name := text(msg, "name")
	if name == "" {
		name = "big"
	}
	return acts.SetString(codec.ScopeTransaction, name, strings.Repeat("x", int(min(max(number(msg, "size"), 0), 4<<20))))
}

func serveSet(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
	scope, ok := codec.ParseScope(text(msg, "scope"))
	if !ok {
		return fmt.Errorf("no scope %q", text(msg, "scope"))
	}
	var err error
	if v, ok := msg.Args.Lookup("value"); ok {
		err = acts.SetValue(scope, text(msg, "name"), v)
	} else {
		err = acts.UnsetVar(scope, text(msg, "name"))
	}
	if err != nil {
		return acts.SetBool(codec.ScopeTransaction, "refused", true)
	}
	return nil
}

// endedKeys are the keys of MessageWait whose handlers' contexts have ended,
// the last maxEndedKeys of them.
type endedKeys struct {
	mu   sync.Mutex
	keys []string
}

const maxEndedKeys = 1000

func (e *endedKeys) wait(ctx context.Context, msg *spoe.Message, _ *spoe.Actions) error {
	key := text(msg, "key")
	err := sleep.For(ctx, time.Minute)
	if err != nil {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.keys = append(e.keys, key)
		if n := len(e.keys); n > maxEndedKeys {
			e.keys = slices.Clone(e.keys[n-maxEndedKeys:])
		}
	}
	return err
}

func (e *endedKeys) ended(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return acts.SetBool(codec.ScopeTransaction, "ended", slices.Contains(e.keys, text(msg, "key")))
}

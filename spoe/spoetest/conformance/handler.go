package conformance

import (
	"fmt"
	"strings"
	"time"

	"github.com/spoke-go/spoke/spoe/spoetest"
)

func handlerCases() []Case {
	var cases []Case
	for _, name := range []string{MessageFail, MessagePanic} {
		cases = append(cases,
			Case{"failure/" + name, rowFailure, "§3.2.7", opened(func(s *script) {
				s.within(s.t.wait()/2, "the ACK", func() { s.nothing(s.ask(spoetest.Msg(name, spoetest.Arg("a", 1)))) })
				s.served()
			})},
			Case{"failure/" + name + "-among-others", rowFailure, "§3.2.7", opened(func(s *script) {
				for range 10 {
					s.want(s.ask(
						spoetest.Msg(MessageEcho, spoetest.Arg("a", 1)), spoetest.Msg(name, spoetest.Arg("b", 2), spoetest.Arg("c", 3)), spoetest.Msg(MessageEcho, spoetest.Arg("d", 4)),
					), "txn.a=1 txn.d=4")
					s.want(s.ask(spoetest.Msg(name, spoetest.Arg("b", 2)), spoetest.Msg(MessageEcho, spoetest.Arg("d", 4))), "txn.d=4")
					s.want(s.ask(spoetest.Msg(MessageEcho, spoetest.Arg("a", 1)), spoetest.Msg(name, spoetest.Arg("b", 2))), "txn.a=1")
				}
			})},
			Case{"failure/" + name + "-pipelined", rowFailure, "§3.2.7", opened(func(s *script) {
				pipelined(s, 200, spoetest.Msg(name, spoetest.Arg("a", 1)))
			})})
	}
	return append(cases,
		Case{"failure/wrong-type-of-argument", rowFailure, "§3.2.7", opened(func(s *script) {
			s.nothing(s.ask(spoetest.Msg(MessageBind, spoetest.Arg("int8", "not a number"))))
		})},
		Case{"deadline/ignores-its-context", rowDeadline, "§3.2.7", opened(func(s *script) {
			s.nothing(s.hangs(100, 1500))
			s.served()
		})},
		Case{"deadline/late-result-is-dropped", rowDeadline, "§3.2.7", opened(func(s *script) {
			s.nothing(s.hangs(50, 1000))
			// Others are answered while the handler goes on and when it ends.
			for end := time.Now().Add(1200 * time.Millisecond); time.Now().Before(end); {
				s.want(s.ask(spoetest.Msg(MessageEcho, spoetest.Arg("a", 1))), "txn.a=1")
			}
		})},
		Case{"deadline/earlier-messages-stay", rowDeadline, "§3.2.7", opened(func(s *script) {
			v := s.ask(spoetest.Msg(MessageEcho, spoetest.Arg("a", 1)), hang(100, 1000))
			s.want(v, "txn.a=1")
		})},
		Case{"deadline/many-at-once", rowDeadline, "§3.2.7", opened(func(s *script) {
			s.within(9*time.Second, "ACKs at their deadline", func() { pipelined(s, 100, hang(100, 10_000)) })
			s.served()
		})},
		Case{"deadline/in-time", rowDeadline, "§3.2.7", opened(func(s *script) {
			s.want(s.ask(hang(10000, 20)), "txn.late=true")
		})},
		Case{"deadline/closed-meanwhile", rowDeadline, "§3.2.7", scripted(func(s *script) {
			s.open()
			s.notify(at(1, 1), hang(50, 300))
			s.ack(at(1, 1))
			s.finished()
			s.servedElsewhere()
		})},
	)
}

// hang is the message of a handler that has a timeout, and returns when it
// wants to.
func hang(timeoutMS, forMS int) spoetest.Message {
	return spoetest.Msg(MessageHang, spoetest.Arg("timeout", timeoutMS), spoetest.Arg("for", forMS))
}

// hangs asks hang, and checks that the ACK leaves at the deadline: not before,
// and well before the handler returns.
func (s *script) hangs(timeoutMS, forMS int) spoetest.Vars {
	start := time.Now()
	v := s.ask(hang(timeoutMS, forMS))
	took := time.Since(start).Milliseconds()
	if took < int64(timeoutMS)*9/10 || took >= int64(forMS) {
		s.failf("the ACK left after %d ms; the deadline is %d ms, the handler returns after %d ms", took, timeoutMS, forMS)
	}
	return v
}

func nameCases() []Case {
	type attempt struct{ scope, name string }
	refused := map[string]attempt{
		"empty":           {"txn", ""},
		"64-bytes":        {"txn", strings.Repeat("a", 60)},
		"64-bytes-proc":   {"proc", strings.Repeat("a", 59)},
		"255-bytes":       {"req", strings.Repeat("a", 251)},
		"4000-bytes":      {"sess", strings.Repeat("a", 4000)},
		"dash":            {"txn", "ip-score"},
		"space":           {"txn", "ip score"},
		"unicode":         {"txn", "größe"},
		"nul":             {"txn", "a\x00b"},
		"newline":         {"txn", "a\n"},
		"slash":           {"res", "a/b"},
		"invalid-utf-8":   {"txn", "\xff"},
		"parenthesis":     {"txn", "var(txn.a)"},
		"percent-encoded": {"txn", "a%20b"},
	}
	var cases []Case
	for name, a := range refused {
		cases = append(cases, Case{"name/" + name, rowVarName, "§3.4", scripted(func(s *script) {
			s.open()
			set := spoetest.Msg(MessageSet, spoetest.Arg("scope", a.scope), spoetest.Arg("name", a.name), spoetest.Arg("value", 1))
			s.want(s.ask(set), "txn.refused=true")
			s.want(s.ask(spoetest.Msg(MessageEcho, spoetest.Arg("a", 1)), set, spoetest.Msg(MessageEcho, spoetest.Arg("b", 2))), "txn.a=1 txn.refused=true txn.b=2")
			unset := spoetest.Msg(MessageSet, spoetest.Arg("scope", a.scope), spoetest.Arg("name", a.name))
			s.want(s.ask(unset), "txn.refused=true")
			s.finished()
		})})
	}
	sortCases(cases)
	return append(cases, Case{"name/accepted", rowVarName, "§3.4", opened(func(s *script) {
		for _, scope := range []string{"proc", "sess", "txn", "req", "res"} {
			for _, name := range []string{"a", "A.b_9", "_", "9", "a..b", strings.Repeat("a", 62-len(scope))} {
				s.want(s.ask(spoetest.Msg(MessageSet, spoetest.Arg("scope", scope), spoetest.Arg("name", name), spoetest.Arg("value", 7))), fmt.Sprintf("%s.%s=7", scope, name))
				s.want(s.ask(spoetest.Msg(MessageSet, spoetest.Arg("scope", scope), spoetest.Arg("name", name))), fmt.Sprintf("unset(%s.%s)", scope, name))
			}
		}
	})})
}

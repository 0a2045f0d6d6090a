package conformance

import (
	"errors"
	"io"

	"github.com/spoke-go/spoke/internal/sleep"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

func healthCheckCases() []Case {
	return []Case{
		{"healthcheck/answered", rowHealthCheck, "§3.2.5", scripted(func(s *script) {
			for range 3 {
				s.connect()
				s.within(s.t.wait()/2, "a health check", s.healthCheck)
			}
		})},
		{"healthcheck/in-one-byte-segments", rowHealthCheck, "§3.2.5", scripted(func(s *script) {
			s.connect()
			s.c.Segments(spoetest.SegmentsOf(1, 0))
			s.healthCheck()
		})},
		{"healthcheck/false", rowHealthCheck, "§3.2.4", scripted(func(s *script) {
			h := spoetest.DefaultHello()
			s.connect()
			s.shakeRaw(append(h.Append(nil), healthcheckFalse()...))
			s.served()
			s.finished()
		})},
		{"healthcheck/then-reset", rowHealthCheck, "§3.2.3", scripted(func(s *script) {
			for range 5 {
				s.greet(spoetest.HealthCheckHello())
				s.check(s.c.Reset())
			}
			s.servedElsewhere()
		})},
		{"healthcheck/fails-while-shutting-down", rowHealthCheck, "§3.2.3", scripted(healthCheckInShutdown)},
	}
}

func (s *script) healthCheck() {
	_, err := s.c.HealthCheck(s.ctx)
	s.check(err)
}

// healthCheckInShutdown keeps an agent from ending with a NOTIFY in flight, and
// wants its health check to fail by an end without an answer meanwhile.
func healthCheckInShutdown(s *script) {
	shutdown := s.spare()
	s.open()
	s.notify(at(1, 1), spoetest.Msg(MessageSleep, spoetest.Arg("ms", 1500)))
	// The connection that is checked exists before the shutdown begins, so that
	// it is the answer that fails, not the connect.
	checked, err := s.t.connect(s.ctx)
	s.check(err)
	defer checked.Close()
	done := shutdown()
	defer func() { s.check(<-done) }()
	s.check(sleep.For(s.ctx, s.t.settle()))
	_ = checked.WriteFrames(s.ctx, helloFrame(spoetest.HealthCheckHello())) // may be closed by now
	switch f, err := checked.Next(s.ctx); {
	case err == nil:
		s.failf("a health check during shutdown got %v, want the end of the connection", f.Type)
	case errors.Is(err, io.EOF), isReset(err):
	default:
		s.failf("a health check during shutdown: %w, want the end of the connection", err)
	}
	s.want(s.ack(at(1, 1)), "txn.slept=1500")
}

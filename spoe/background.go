package spoe

import "context"

// Go calls f in a goroutine of its own, which may go on after the message has
// been acknowledged; [Agent.Shutdown] and Run wait for it. ctx ends when they
// give up waiting, or with Close. Give f a [Message.Clone], not the message.
//
// A panic in f is the program's, as in any goroutine. Go bounds nothing:
// middleware.Detach does.
func (m *Message) Go(f func(ctx context.Context)) {
	if m.shared == nil { // no agent received the message
		go f(context.Background()) // f alone knows when it ends
		return
	}
	m.shared.runTask(f)
}

func (s *agentState) runTask(f func(context.Context)) {
	s.mu.Lock()
	s.tasks++
	s.mu.Unlock()
	go func() { // Run waits for it, by allGone
		defer func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.tasks--
			s.lookGoneLocked()
		}()
		f(s.ctx)
	}()
}

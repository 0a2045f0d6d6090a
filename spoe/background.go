package spoe

import "context"

// Go calls f in a goroutine of its own, which may go on after the message has
// been acknowledged; [Agent.Shutdown] and Run wait for it. ctx ends when they
// give up waiting, or with Close. Give f a [Message.Clone], not the message.
//
// A panic in f is the program's, as in any goroutine. Go bounds nothing:
// middleware.Detach does.
func (m *Message) Go(f func(ctx context.Context)) {
	if m.eng == nil { // no agent has received the message
		go f(context.Background()) // f alone knows when it ends
		return
	}
	m.eng.runTask(f)
}

func (e *engine) runTask(f func(context.Context)) {
	e.mu.Lock()
	e.tasks++
	e.mu.Unlock()
	go func() { // Run waits for it, by allGone
		defer func() {
			e.mu.Lock()
			defer e.mu.Unlock()
			e.tasks--
			e.lookGoneLocked()
		}()
		f(e.ctx)
	}()
}

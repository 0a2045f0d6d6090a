package spoe

// PoisonBuffers has a NOTIFY's bytes overwritten when its handlers are done.
func PoisonBuffers() { poison = true }

// IdleWorkers returns how many workers wait for work.
func (a *Agent) IdleWorkers() int {
	a.eng.workers.mu.Lock()
	defer a.eng.workers.mu.Unlock()
	return len(a.eng.workers.idle)
}

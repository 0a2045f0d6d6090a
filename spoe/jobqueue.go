package spoe

// jobQueue is a first-in-first-out queue, by a link in the jobs: an idle
// connection has three words of it.
type jobQueue struct {
	first, last *job
	n           int
}

func (q *jobQueue) push(j *job) {
	if q.last == nil {
		q.first = j
	} else {
		q.last.queued = j
	}
	q.last = j
	q.n++
}

func (q *jobQueue) pop() *job {
	j := q.first
	if q.first = j.queued; q.first == nil {
		q.last = nil
	}
	j.queued = nil
	q.n--
	return j
}

// jobSet is a set of jobs, by links in them.
type jobSet struct {
	first *job
	n     int
}

func (s *jobSet) add(j *job) {
	if s.first != nil {
		s.first.prev = j
	}
	j.next, s.first = s.first, j
	s.n++
}

func (s *jobSet) remove(j *job) {
	if j.prev != nil {
		j.prev.next = j.next
	} else {
		s.first = j.next
	}
	if j.next != nil {
		j.next.prev = j.prev
	}
	j.next, j.prev = nil, nil
	s.n--
}

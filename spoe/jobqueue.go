package spoe

// jobQueue is a first-in-first-out queue.
type jobQueue struct {
	jobs []*job
	from int // jobs[from:] are queued
}

func (q *jobQueue) len() int { return len(q.jobs) - q.from }

func (q *jobQueue) push(j *job) { q.jobs = append(q.jobs, j) }

func (q *jobQueue) pop() *job {
	j := q.jobs[q.from]
	q.jobs[q.from] = nil
	if q.from++; q.from == len(q.jobs) {
		q.jobs, q.from = q.jobs[:0], 0
	}
	return j
}

package spoe

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe/internal/msgctx"
)

// job is one NOTIFY on its way to its ACK. It owns a copy of the payload, so that neither
// the connection's buffer nor another NOTIFY can change what its handlers see. Jobs are
// pooled, except a job whose handler was late.
type job struct {
	c                 *conn
	streamID, frameID uint64
	received          time.Time
	payload           []byte
	msgs              []codec.Message // the first ones of payload
	unparsed          bool            // there are more
	msg               Message
	args              Args
	acts              Actions
	worker            *worker // that handles it
	held              bool    // c.held counts the payload already

	next, prev *job // in c.jobs; guarded by c.mu
	queued     *job // the next one in c.batch or c.queue

	// late: acknowledged at its deadline. It is set under c.mu and mu, and nothing below
	// changes from then on.
	late    atomic.Bool
	charged bool           // late, and still counted as in flight
	handle  *msgctx.Handle // the message's context, as the handler has it

	// The worker changes the fields below under c.mu or mu.
	mu        sync.Mutex              // taken after c.mu
	name      string                  // of the message that is handled
	ctx       *msgctx.Ctx             // the message's context; its deadline is the ACK's
	deadline  int64                   // the ACK's before there is a ctx, and once it is late
	within    *msgctx.Ctx             // a context with a nearer deadline, or nil
	committed []byte                  // actions of the messages before this one
	hooks     []func(error, *Actions) // of OnFailure
	failing   bool                    // its failure is being dealt with
}

// jobs has jobs to use again, in chains by job.queued: a Get and a Put for each
// NOTIFY were a seventh of what the agent itself costs.
var jobs sync.Pool

// jobChain is the number of jobs that a worker gathers for the pool.
const jobChain = 32

func (c *conn) getJob(streamID, frameID uint64, received time.Time) *job {
	j := c.spare
	if j == nil {
		j, _ = jobs.Get().(*job)
	}
	if j == nil {
		j = new(job)
	}
	c.spare, j.queued = j.queued, nil
	j.c, j.streamID, j.frameID, j.received = c, streamID, frameID, received
	j.deadline = j.lastDeadline()
	return j
}

// lastDeadline is the deadline that Agent.NotifyTimeout sets.
func (j *job) lastDeadline() int64 { return since(j.received) + int64(j.c.shared.limits.notify) }

// smallPayload is the capacity that a job keeps for whatever payload comes next.
const smallPayload = 4 << 10

// copyPayload gives the job a payload of its own. It does not hold a short one in
// the memory of a long one: the budget counts what comes, not what it is kept in.
func (j *job) copyPayload(b []byte) {
	if n := cap(j.payload); n > smallPayload && n > 2*len(b) {
		j.payload = nil
	}
	j.payload = append(j.payload[:0], b...)
}

// poison, set by tests, has the payload overwritten when a job ends.
var poison bool

// putJob has j used again, by way of a chain of the worker's, or of the pool where
// w is nil.
func (w *worker) putJob(j *job) {
	if poison {
		p := j.payload[:cap(j.payload)]
		for i := range p {
			p[i] = 0xdb
		}
	}
	clear(j.msgs)
	j.msgs = j.msgs[:0]
	if cap(j.payload) > maxPooled || cap(j.acts.buf) > maxPooled || cap(j.committed) > maxPooled {
		return
	}
	j.c, j.worker, j.handle, j.ctx, j.within, j.held = nil, nil, nil, nil, nil, false
	j.committed = j.committed[:0]
	clear(j.hooks[:cap(j.hooks)])
	j.hooks = j.hooks[:0]
	j.msg, j.args, j.name = Message{}, Args{}, ""
	j.acts.truncate(0)
	if w == nil {
		jobs.Put(j)
		return
	}
	j.queued, w.spare = w.spare, j
	if w.spares++; w.spares == jobChain {
		w.giveJobs()
	}
}

// dropJob has a job used again that no worker had.
func dropJob(j *job) { (*worker)(nil).putJob(j) }

// giveJobs gives the worker's chain to the pool.
func (w *worker) giveJobs() {
	if w.spare != nil {
		jobs.Put(w.spare)
		w.spare, w.spares = nil, 0
	}
}

// giveJobs gives the rest of the reader's chain to the pool.
func (c *conn) giveJobs() {
	if c.spare != nil {
		jobs.Put(c.spare)
		c.spare = nil
	}
}

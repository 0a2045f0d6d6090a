package middleware

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/spoke-go/spoke/spoe"
)

// DetachConfig configures [DetachWith]. The zero DetachConfig is that of
// [Detach].
type DetachConfig struct {
	// Workers is how many messages are handled at once. Default: 16.
	Workers int
	// Queue is how many more may wait for a worker. Default: 1024.
	Queue int
	// QueueBytes is how large these may be together. Default: 64 MiB.
	QueueBytes int
	// Timeout is when a handler's context ends, counted from when it begins.
	// Default: 30 s.
	Timeout time.Duration
	// Logger is told of handlers that fail. Default: slog.Default().
	Logger *slog.Logger
	// MeterProvider takes the count of what the queue had no room for, the
	// metric spop.server.dropped_messages with spop.drop.reason queue_full.
	// Default: OpenTelemetry's global one.
	MeterProvider metric.MeterProvider
}

// Detach acknowledges messages first and has them handled afterwards; see
// [DetachWith].
func Detach() spoe.Middleware { return DetachWith(DetachConfig{}) }

// DetachWith acknowledges each message at once and without actions, and has it
// handled afterwards: for mirroring, logging, learning, all that HAProxy need
// not wait for. The handler gets a copy of the message, a context with the
// values of the message's own, and actions that lead nowhere. Its failures are
// logged.
//
// The queue is bounded; a message that finds it full is dropped and counted.
// [spoe.Agent.Shutdown] waits for what is queued; when it gives up, the
// handlers' contexts end, and what is still queued is handled with such a
// context. All handlers that the returned middleware wraps share queue and
// workers. They must be of one agent.
func DetachWith(cfg DetachConfig) spoe.Middleware {
	if cfg.Workers < 0 || cfg.Queue < 0 || cfg.QueueBytes < 0 || cfg.Timeout < 0 {
		panic(fmt.Sprintf("middleware: DetachConfig{Workers: %d, Queue: %d, QueueBytes: %d, Timeout: %v}: none can be negative",
			cfg.Workers, cfg.Queue, cfg.QueueBytes, cfg.Timeout))
	}
	d := &detaching{
		workers: orDefault(cfg.Workers, 16),
		max:     orDefault(cfg.Queue, 1024),
		maxSize: orDefault(cfg.QueueBytes, 64<<20),
		timeout: orDefault(cfg.Timeout, 30*time.Second),
		logger:  cfg.Logger,
		drops:   newDrops(cfg.MeterProvider, "queue_full"),
	}
	return func(next spoe.Handler) spoe.Handler {
		next = Recover()(next) // a panic in Message.Go would be the program's
		return spoe.HandlerFunc(func(ctx context.Context, msg *spoe.Message, _ *spoe.Actions) error {
			if !d.submit(ctx, msg, next) {
				d.drops.add(ctx, msg.Name)
			}
			return nil
		})
	}
}

func orDefault[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

type detaching struct {
	workers, max, maxSize int
	timeout               time.Duration
	logger                *slog.Logger
	drops                 *drops

	mu      sync.Mutex // guards what follows
	queue   []detached // from head on
	head    int
	size    int // bytes of the queued messages' arguments
	running int // workers
}

// detached is a message that is to be handled.
type detached struct {
	ctx  context.Context // of the message: for its values
	msg  *spoe.Message
	next spoe.Handler
}

// submit has a message handled, by a worker of its own or when one is free. It
// returns false if there is no room for it.
func (d *detaching) submit(ctx context.Context, msg *spoe.Message, next spoe.Handler) bool {
	size := len(msg.Args.Raw().Raw())
	d.mu.Lock()
	starts := d.running < d.workers
	if !starts && (len(d.queue)-d.head >= d.max || d.size+size > d.maxSize) {
		d.mu.Unlock()
		return false
	}
	item := detached{ctx: context.WithoutCancel(ctx), msg: msg.Clone(), next: next}
	if starts {
		d.running++
	} else {
		d.queue = append(d.queue, item)
		d.size += size
	}
	d.mu.Unlock()
	if starts {
		d.start(item)
	}
	return true
}

// start runs a worker. It ends when the queue is empty; the agent's Shutdown
// waits for it.
func (d *detaching) start(item detached) {
	item.msg.Go(func(task context.Context) {
		left := false
		defer func() {
			if !left { // runtime.Goexit ends this goroutine: another goes on
				if item, ok := d.pop(); ok {
					d.start(item)
				}
			}
		}()
		for ok := true; ok; item, ok = d.pop() {
			d.handle(task, item)
		}
		left = true
	})
}

// pop takes the first of the queue. Where there is none, it takes the calling
// worker off those that run.
func (d *detaching) pop() (item detached, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.head == len(d.queue) {
		d.running--
		return detached{}, false
	}
	item = d.queue[d.head]
	d.queue[d.head] = detached{}
	d.size -= len(item.msg.Args.Raw().Raw())
	if d.head++; d.head*2 >= len(d.queue) { // half of it is gone
		n := copy(d.queue, d.queue[d.head:])
		clear(d.queue[n:])
		d.queue, d.head = d.queue[:n], 0
	}
	return item, true
}

func (d *detaching) handle(task context.Context, item detached) {
	ctx, cancel := context.WithTimeout(item.ctx, d.timeout)
	defer cancel()
	defer context.AfterFunc(task, cancel)()
	if err := item.next.ServeSPOE(ctx, item.msg, new(spoe.Actions)); err != nil {
		logger := d.logger
		if logger == nil {
			logger = slog.Default()
		}
		logger.LogAttrs(ctx, slog.LevelWarn, "detached message failed", failureAttrs(item.msg, err)...)
	}
}

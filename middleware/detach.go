package middleware

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/spoke-go/spoke/spoe"
)

// DetachConfig configures [Detach]. The zero DetachConfig is the same as none.
type DetachConfig struct {
	// Workers is the maximum number of messages that are handled at once. Default: 16.
	Workers int
	// Queue is the maximum number of messages that wait for a worker. Default: 1024.
	Queue int
	// QueueBytes is the maximum sum of their sizes in bytes. Default: 64 MiB.
	QueueBytes int
	// Timeout is the time from the beginning of a handler until its context ends.
	// Default: 30 s.
	Timeout time.Duration
	// Logger gets a line for each handler that fails. Default: slog.Default().
	Logger *slog.Logger
	// MeterProvider takes the count of messages that did not fit into the queue,
	// the metric spop.server.dropped_messages with spop.drop.reason queue_full.
	// Default: OpenTelemetry's global one.
	MeterProvider metric.MeterProvider
	// Attributes are added to that metric, for a program with several queues.
	Attributes []attribute.KeyValue
}

// Detach acknowledges each message at once and without actions, and calls the handler
// afterwards: for mirroring, logging, learning, and other work for which HAProxy need
// not wait. The handler gets a copy of the message, a context with the values of the
// message's context, and actions that are dropped. Its failures are logged. Detach
// calls functions that the handler gives to OnFailure, but their actions do not reach
// HAProxy either: do not fail closed by a variable that is set inside Detach.
//
// The queue is bounded: Detach drops and counts a message that does not fit.
// [spoe.Agent.Shutdown] waits for queued messages. When it gives up, the handlers'
// contexts end, and the other queued messages are handled with an ended context. All
// handlers that the returned middleware wraps share the queue and the workers, and must
// belong to one agent.
//
// Detach panics on a negative number, or on more than one configuration.
func Detach(cfgs ...DetachConfig) spoe.Middleware {
	cfg := only("Detach", cfgs)
	if cfg.Workers < 0 || cfg.Queue < 0 || cfg.QueueBytes < 0 || cfg.Timeout < 0 {
		panic(fmt.Sprintf("middleware: DetachConfig{Workers: %d, Queue: %d, QueueBytes: %d, Timeout: %v}: write numbers above 0, or 0 for the defaults",
			cfg.Workers, cfg.Queue, cfg.QueueBytes, cfg.Timeout))
	}
	d := &detaching{
		workers: cmp.Or(cfg.Workers, 16),
		max:     cmp.Or(cfg.Queue, 1024),
		maxSize: cmp.Or(cfg.QueueBytes, 64<<20),
		timeout: cmp.Or(cfg.Timeout, 30*time.Second),
		logger:  cfg.Logger,
		drops:   newDrops(cfg.MeterProvider, "queue_full", cfg.Attributes...),
	}
	return func(next spoe.Handler) spoe.Handler {
		next = Recover()(next) // a panic in Message.Go ends the program
		return spoe.HandlerFunc(func(ctx context.Context, msg *spoe.Message, _ *spoe.Actions) error {
			if !d.submit(ctx, msg, next) {
				d.drops().add(ctx, msg.Name)
			}
			return nil
		})
	}
}

type detaching struct {
	workers, max, maxSize int
	timeout               time.Duration
	logger                *slog.Logger
	drops                 func() *drops

	mu      sync.Mutex // guards the fields below
	queue   []detached
	size    int // bytes of the queued messages' arguments
	running int // workers
}

// detached is a message that waits for its handler.
type detached struct {
	ctx  context.Context // of the message: for its values
	msg  *spoe.Message
	next spoe.Handler
}

// submit gives a message to a new worker, or queues it until a worker is free. It
// returns false if the queue is full.
func (d *detaching) submit(ctx context.Context, msg *spoe.Message, next spoe.Handler) bool {
	size := len(msg.Args.Raw().Raw())
	d.mu.Lock()
	starts := d.running < d.workers
	if !starts && (len(d.queue) >= d.max || d.size+size > d.maxSize) {
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
			if !left { // runtime.Goexit ends this goroutine: another one continues
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

// pop takes the first message of the queue. If there is none, the calling worker ends,
// and pop reduces the count of workers.
func (d *detaching) pop() (item detached, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.queue) == 0 {
		d.running--
		return detached{}, false
	}
	item, d.queue[0] = d.queue[0], detached{} // so that the array keeps no message alive
	d.queue = d.queue[1:]
	d.size -= len(item.msg.Args.Raw().Raw())
	return item, true
}

func (d *detaching) handle(task context.Context, item detached) {
	ctx, cancel := context.WithTimeout(item.ctx, d.timeout)
	defer cancel()
	defer context.AfterFunc(task, cancel)()
	var err error = &spoe.PanicError{} // stays after a runtime.Goexit
	defer func() {
		if err != nil {
			d.failed(ctx, item.msg, err)
		}
	}()
	err = item.next.ServeSPOE(ctx, item.msg, new(spoe.Actions))
}

// failed logs a failure and calls the functions that OnFailure got. Loggers and hooks
// may panic, which would end the program here.
func (d *detaching) failed(ctx context.Context, msg *spoe.Message, err error) {
	quietly(func() {
		logger := d.logger
		if logger == nil {
			logger = slog.Default()
		}
		logger.LogAttrs(ctx, slog.LevelWarn, "detached message failed", failureAttrs(msg, err)...)
	})
	quietly(func() { callFailureHook(msg, err, new(spoe.Actions)) })
}

// quietly calls f, and drops a panic in it.
func quietly(f func()) {
	defer func() { _ = recover() }()
	f()
}

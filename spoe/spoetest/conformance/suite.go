package conformance

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Case is one case of the wire contract.
type Case struct {
	// Name is unique: the thing tried and the action on it, such as "hello/second".
	Name string
	// Row is the row of the contract's table that it is a case of.
	Row string
	// Section is the section of SPOE.txt about it, "§3.2.4".
	Section string
	// Run returns nil if the agent keeps to the contract, an error that is ErrSkipped
	// if the target does not have what the case needs, and otherwise an error that
	// describes the failure. Cases are independent and may run concurrently.
	Run func(ctx context.Context, t *Target) error
}

// Suite returns the cases, in the order of the rows.
func Suite() []Case {
	var all []Case
	for _, cases := range [][]Case{
		helloCases(), healthCheckCases(), missingCases(), refusedCases(), notifyCases(),
		handlerCases(), nameCases(), sizeCases(), malformedCases(), fragmentCases(),
		disconnectCases(), endCases(), skipCases(), timeoutCases(), valueCases(), bindCases(),
		writeCases(), shutdownCases(),
	} {
		all = append(all, cases...)
	}
	return all
}

// CasesOf returns the cases whose names begin with prefix, such as "timeout/".
func CasesOf(prefix string) []Case {
	return slices.DeleteFunc(Suite(), func(c Case) bool { return !strings.HasPrefix(c.Name, prefix) })
}

// caseTimeout bounds a case beside the target's own timeouts.
const caseTimeout = 5 * time.Minute

// Result is the result of a case.
type Result struct {
	Case
	Err  error
	Took time.Duration
}

// Skipped reports that the case could not run; Err says why.
func (r Result) Skipped() bool { return errors.Is(r.Err, ErrSkipped) }

// Run holds cases against a target one after the other, and after each of them
// checks that a well-behaved connection is served. It stops when ctx ends or
// the caller leaves the loop.
func Run(ctx context.Context, t *Target, cases []Case) iter.Seq[Result] {
	return func(yield func(Result) bool) {
		for _, c := range cases {
			if ctx.Err() != nil || !yield(run(ctx, t, c)) {
				return
			}
		}
	}
}

func run(ctx context.Context, t *Target, c Case) Result {
	ctx, cancel := context.WithTimeout(ctx, caseTimeout+2*(t.HelloTimeout+t.ReadTimeout+t.WriteTimeout+t.IdleTimeout))
	defer cancel()
	start := time.Now()
	err := c.Run(ctx, t)
	if err == nil {
		err = t.probe(ctx)
	}
	return Result{Case: c, Err: err, Took: time.Since(start)}
}

// conformAtOnce is the number of cases that Conform runs at once. It does not depend on
// the number of processors, as with t.Parallel, because cases mostly wait.
const conformAtOnce = 16

// Conform runs cases against an agent, by default those of Suite, each as a subtest
// named as the case, several at once. A skipped case names the fields that the target
// does not set.
//
// An agent with timeouts so short that their cases are quick may find them over
// on a busy machine in other cases: it is better to run those (CasesOf with
// "timeout/") on an agent of their own.
func Conform(t *testing.T, target Target, cases ...Case) {
	t.Helper()
	if len(cases) == 0 {
		cases = Suite()
	}
	queue := make(chan Case)
	var workers sync.WaitGroup
	var mu sync.Mutex // guards left
	var left []string
	for range conformAtOnce {
		workers.Go(func() { // ends with the last case
			for c := range queue {
				r := run(t.Context(), &target, c)
				if r.Skipped() {
					mu.Lock()
					left = append(left, fmt.Sprintf("%s (%v)", c.Name, r.Err))
					mu.Unlock()
					continue
				}
				t.Run(c.Name, func(t *testing.T) {
					if r.Err != nil {
						t.Errorf("%s (SPOE.txt %s): %v", c.Row, c.Section, r.Err)
					}
				})
			}
		})
	}
	for _, c := range cases {
		queue <- c
	}
	close(queue)
	workers.Wait()
	if len(left) > 0 {
		slices.Sort(left)
		t.Logf("%d cases of the contract were skipped, because the Target does not set the fields that they need:\n%s",
			len(left), strings.Join(left, "\n"))
	}
}

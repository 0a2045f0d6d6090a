// Package proc reads from Linux, for the benchmarks, the CPU time and the resident memory
// of another process, cores to pin to, and file descriptors.
package proc

import (
	"fmt"
	"os/exec"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// CPUTime returns the CPU time of a process, user and system, of all its
// threads. It reads the process's CPU clock (clock_getcpuclockid(3)): its unit
// is the nanosecond, while /proc/PID/stat counts in ticks of 10 ms.
func CPUTime(pid int) (time.Duration, error) {
	const sched = 2 // CPUCLOCK_SCHED
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^pid)<<3|sched, &ts); err != nil {
		return 0, fmt.Errorf("CPU clock of process %d: %w", pid, err)
	}
	return time.Duration(ts.Nano()), nil
}

// Cores returns one core for the servers and one for the generator. They are
// the same, and ok is false, if this process may run on one core only.
func Cores() (server, load int, ok bool, err error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return 0, 0, false, fmt.Errorf("cores of this process: %w", err)
	}
	var cores []int
	for i := range len(set) * 64 {
		if set.IsSet(i) {
			cores = append(cores, i)
		}
	}
	// The first and the last are the least likely to share one physical core.
	return cores[len(cores)-1], cores[0], len(cores) > 1, nil
}

// StartOn starts cmd bound to one core, with all the threads that it will have.
func StartOn(core int, cmd *exec.Cmd) error {
	// A child inherits the affinity of the thread that forks it. The thread is
	// given its own back afterwards.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var old, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &old); err != nil {
		return fmt.Errorf("affinity: %w", err)
	}
	one.Set(core)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return fmt.Errorf("pin to core %d: %w", core, err)
	}
	startErr := cmd.Start()
	if err := unix.SchedSetaffinity(0, &old); err != nil {
		return fmt.Errorf("unpin from core %d: %w", core, err)
	}
	return startErr
}

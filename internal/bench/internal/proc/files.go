package proc

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// NeedFiles raises the limit of open files to at least n, for this process and its
// children.
func NeedFiles(n uint64) error {
	var lim unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &lim); err != nil {
		return err
	}
	if lim.Cur >= n {
		return nil
	}
	lim.Cur, lim.Max = n, max(n, lim.Max)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &lim); err != nil {
		return fmt.Errorf("%d open files are needed, raise `ulimit -Hn`: %w", n, err)
	}
	return nil
}

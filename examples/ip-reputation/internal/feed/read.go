package feed

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/spoke-go/spoke/examples/ip-reputation/internal/iplist"
)

// maxSize is the maximum size of a file, in bytes: some twenty million entries.
const maxSize = 512 << 20

// errMoving means that a file changed while it was read, or just before.
var errMoving = errors.New("is being written")

// read parses a file of the operating system. If a file changed within the last quiet, read
// waits for that time and looks again. The stamp describes the file that was read. It is
// zero for a file that could not be opened: its stamp may not show the reason, so each look
// tries again.
func read(ctx context.Context, path string, quiet time.Duration) (*iplist.List, stamp, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, stamp{}, openError(path, err)
	}
	before := stamp{info: info}
	f, err := open(path, info)
	if err != nil {
		return nil, stamp{}, err
	}
	defer f.Close()
	list, parseErr := iplist.Parse(path, f)

	if age := time.Since(info.ModTime()); age < quiet {
		wait := time.NewTimer(quiet - max(age, 0)) // a time to come is another machine's clock
		defer wait.Stop()
		select {
		case <-wait.C:
		case <-ctx.Done():
			return nil, stamp{}, ctx.Err()
		}
	}
	opened, err := f.Stat()
	if err != nil || !before.same(stamp{info: opened}) || !before.same(stampOf(path)) {
		return nil, stamp{}, errMoving
	}
	return list, before, parseErr
}

// open opens a regular file: opening a named pipe would wait for its writer.
func open(path string, info fs.FileInfo) (*os.File, error) {
	refuse := func(reason, advice string) (*os.File, error) {
		return nil, &iplist.Error{File: path, Reason: reason, Advice: advice}
	}
	switch {
	case info.IsDir():
		return refuse("is a directory", "name a file in it")
	case !info.Mode().IsRegular():
		return refuse(fmt.Sprintf("is no regular file (%v)", info.Mode()), "write the list into a file")
	case info.Size() > maxSize:
		return refuse(fmt.Sprintf("is larger than %d MiB", maxSize>>20), "point to an IP list")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, openError(path, err)
	}
	return f, nil
}

// openError returns an error of the operating system in plain words.
func openError(path string, err error) error {
	reason, advice := fmt.Sprintf("cannot be opened (%v)", err), "check the path"
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		reason = fmt.Sprintf("cannot be opened (%v)", pathErr.Err)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		reason, advice = "does not exist", "check the path, or add optional=true if the file comes later"
	case errors.Is(err, fs.ErrPermission):
		advice = "let the user that the agent runs as read it (chmod, chown)"
	}
	return &iplist.Error{File: path, Reason: reason, Advice: advice}
}

package haproxy

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// ErrOutOfDate is the error of [Flags.Run] if -write-config -up-to-date finds a file
// that differs from the agent's output.
var ErrOutOfDate = errors.New("haproxy: the configuration is not up to date: run -write-config again")

// file is one file of -write-config.
type file struct{ name, text string }

// files returns the files with their names in a folder. The names of files with lines for
// haproxy.cfg do not end in .cfg: `haproxy -f DIR` reads all files with such names.
func (f Files) files() []file {
	all := []file{{"spoe.conf", f.SPOE}, {"agents.cfg", f.Backend}, {"frontend.txt", f.Frontend}, {"site.txt", f.Site}}
	written := all[:0]
	for _, x := range all {
		if x.text != "" {
			written = append(written, x)
		}
	}
	return written
}

// WriteDir writes spoe.conf, agents.cfg, frontend.txt and site.txt into a folder, except
// empty ones. It replaces whole files, and none of them if one cannot be written.
func (f Files) WriteDir(dir string) (err error) {
	temporary := map[string]string{}
	defer func() {
		for _, name := range temporary {
			err = errors.Join(err, ignoreMissing(os.Remove(name)))
		}
	}()
	for _, x := range f.files() {
		name, err := writeTemporary(dir, x)
		if name != "" {
			temporary[x.name] = name
		}
		if err != nil {
			return fmt.Errorf("haproxy: %w", err)
		}
	}
	for _, x := range f.files() {
		if err := os.Rename(temporary[x.name], filepath.Join(dir, x.name)); err != nil {
			return fmt.Errorf("haproxy: %w", err)
		}
		delete(temporary, x.name)
	}
	return nil
}

// writeTemporary writes a file beside the file that it will replace, and returns its name.
func writeTemporary(dir string, x file) (string, error) {
	out, err := os.CreateTemp(dir, "."+x.name+".*")
	if err != nil {
		return "", err
	}
	_, err = out.WriteString(x.text)
	return out.Name(), errors.Join(err, out.Chmod(0o644), out.Sync(), out.Close())
}

func ignoreMissing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// OutOfDate returns the names of the files in a folder that are missing, or differ from the
// files that WriteDir would write.
func (f Files) OutOfDate(dir string) (names []string, err error) {
	for _, x := range f.files() {
		name := filepath.Join(dir, x.name)
		switch b, err := os.ReadFile(name); {
		case errors.Is(err, os.ErrNotExist), err == nil && string(b) != x.text:
			names = append(names, name)
		case err != nil:
			return nil, fmt.Errorf("haproxy: %w", err)
		}
	}
	return names, nil
}

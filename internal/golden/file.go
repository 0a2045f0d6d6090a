package golden

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// File is one capture.
type File struct {
	Name     string // such as "2.6-values.hex"
	Comments []string
	Frames   []Captured
}

// Captured is one frame of a File.
type Captured struct {
	Line int    // of the hex in the file, from 1
	Raw  []byte // the whole frame with its length
	Want Frame
}

const (
	comment = "#"
	wanted  = "#>"
)

// Load reads all files of a folder. Finding none is an error.
func Load(dir string) ([]File, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.hex"))
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("no golden frames in %s", dir)
	}
	var files []File
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		f, err := Parse(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s:%w", path, err)
		}
		f.Name = filepath.Base(path)
		files = append(files, f)
	}
	return files, nil
}

// Parse reads a file's text.
func Parse(text string) (File, error) {
	var f File
	var want *Frame
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimRight(line, "\n")
		if err := f.parseLine(n, line, &want); err != nil {
			return File{}, fmt.Errorf("%d: %w", n, err)
		}
	}
	switch {
	case want != nil:
		return File{}, fmt.Errorf("%d: the last frame is missing", n)
	case len(f.Frames) == 0:
		return File{}, fmt.Errorf("%d: no frame", n)
	}
	return f, nil
}

// parseLine reads line n; want is the frame that is being described.
func (f *File) parseLine(n int, line string, want **Frame) (err error) {
	if text, ok := strings.CutPrefix(line, wanted); ok {
		if text = strings.TrimSpace(text); *want != nil {
			return (*want).parseLine(text)
		}
		head, err := parseHead(text)
		*want = &head
		return err
	}
	if text, ok := strings.CutPrefix(line, comment); ok {
		f.Comments = append(f.Comments, strings.TrimPrefix(text, " "))
		return nil
	}
	if strings.TrimSpace(line) == "" {
		return nil
	}
	if *want == nil {
		return errors.New("a frame of which nothing is said")
	}
	raw, err := hex.DecodeString(line)
	f.Frames = append(f.Frames, Captured{Line: n, Raw: raw, Want: **want})
	*want = nil
	return err
}

// Text is the file as Parse reads it. Comments come first.
func (f File) Text() string {
	var b bytes.Buffer
	for _, c := range f.Comments {
		b.WriteString(strings.TrimRight(comment+" "+c, " ") + "\n")
	}
	for _, frame := range f.Frames {
		b.WriteByte('\n')
		for line := range strings.Lines(frame.Want.String()) {
			b.WriteString(wanted + " " + line)
		}
		fmt.Fprintf(&b, "%x\n", frame.Raw)
	}
	return b.String()
}

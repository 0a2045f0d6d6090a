package golden

import (
	"bytes"
	"encoding/hex"
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

// Parse reads a file's text. It fails if the bytes of a frame mean something else than
// the lines in front of it say.
func Parse(text string) (File, error) {
	var f File
	var d Decoder
	said := "" // about the next frame
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimRight(line, "\n")
		if text, ok := strings.CutPrefix(line, wanted+" "); ok {
			said += text + "\n"
			continue
		}
		if text, ok := strings.CutPrefix(line, comment); ok {
			f.Comments = append(f.Comments, strings.TrimPrefix(text, " "))
			continue
		}
		if strings.TrimSpace(line) == "" {
			continue
		}
		raw, want, err := d.parse(line, said)
		if err != nil {
			return File{}, fmt.Errorf("%d: %w", n, err)
		}
		f.Frames = append(f.Frames, Captured{Line: n, Raw: raw, Want: want})
		said = ""
	}
	switch {
	case said != "":
		return File{}, fmt.Errorf("%d: the last frame is missing", n)
	case len(f.Frames) == 0:
		return File{}, fmt.Errorf("%d: no frame", n)
	}
	return f, nil
}

// parse reads the hex of a frame, which must mean what is said about it.
func (d *Decoder) parse(line, said string) (raw []byte, f Frame, err error) {
	if raw, err = hex.DecodeString(line); err != nil {
		return nil, Frame{}, err
	}
	if f, _, err = d.Decode(raw); err != nil {
		return nil, Frame{}, err
	}
	if err := f.DecodeHeaders(said); err != nil {
		return nil, Frame{}, err
	}
	if got := f.String(); got != said {
		return nil, Frame{}, fmt.Errorf("the bytes mean:\n%sand the lines in front of them say:\n%s", got, said)
	}
	return raw, f, nil
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

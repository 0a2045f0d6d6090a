package iplist

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

const (
	// bufferSize is the size of one read of a file, and so of the longest line, in
	// bytes. Entries are far shorter.
	bufferSize = 64 << 10

	// sniffSize is the number of a file's first bytes that sniff looks at.
	sniffSize = 512
)

var errTooLong = errors.New("line too long")

// lines cuts a file into lines.
type lines struct {
	file   string
	in     *bufio.Reader
	number int // of the last line that next returned, from 1
}

// newLines refuses a file whose first bytes show that it is not text.
func newLines(file string, r io.Reader) (*lines, error) {
	l := &lines{file: file, in: bufio.NewReaderSize(r, bufferSize)}
	head, err := l.in.Peek(sniffSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, l.readError(err)
	}
	if bytes.HasPrefix(head, []byte(bom)) {
		_, _ = l.in.Discard(len(bom)) // cannot fail: it is in the buffer
	}
	return l, sniff(file, head)
}

// next returns the next line without its line end, valid until the next call. After the
// last line it returns io.EOF. An *Error is an error of the reader, any other error is
// about the line: of a line that is too long it returns the beginning with errTooLong,
// and skips the rest.
func (l *lines) next() ([]byte, error) {
	line, err := l.in.ReadSlice('\n')
	if errors.Is(err, io.EOF) && len(line) == 0 {
		return nil, io.EOF
	}
	l.number++
	switch {
	case err == nil || errors.Is(err, io.EOF):
		return bytes.TrimRight(line, "\r\n"), nil
	case !errors.Is(err, bufio.ErrBufferFull):
		return nil, l.readError(err)
	case bytes.IndexByte(line, 0) >= 0:
		return nil, errNUL
	}
	line = bytes.Clone(line[:maxText+1]) // excerpt marks the cut
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = l.in.ReadSlice('\n')
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, l.readError(err)
	}
	return line, errTooLong
}

// readError words an error of the reader.
func (l *lines) readError(err error) error {
	return &Error{
		File:   l.file,
		Reason: fmt.Sprintf("cannot be read (%v)", err),
		Advice: "check that it is a file, and the disk that it is on",
	}
}

package latewriter_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/internal/latewriter"
)

// TestWriter: texts that were written before Flush are there behind it, in order.
func TestWriter(t *testing.T) {
	var out bytes.Buffer
	w := latewriter.New(&out, 4<<20)
	var want strings.Builder
	line := make([]byte, 0, 16)
	for i := range 1000 {
		line = fmt.Appendf(line[:0], "line %d\n", i)
		want.Write(line)
		n, err := w.Write(line)
		assert.NoError(t, err)
		assert.Equal(t, len(line), n)
	}
	w.Flush(30 * time.Second)
	assert.Equal(t, want.String(), out.String())
	w.Flush(0)
	assert.Zero(t, w.Lost())
}

// TestWriterBlocked: a reader that does not read holds up no writer; texts above its
// limit are lost.
func TestWriterBlocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, to := io.Pipe()
		w := latewriter.New(to, 4<<20)
		text := make([]byte, 1<<20)
		for range 10 {
			_, _ = w.Write(text)
		}
		assert.EqualValues(t, 6, w.Lost())
		begun := time.Now()
		w.Flush(2 * time.Second)
		assert.Equal(t, 2*time.Second, time.Since(begun))
		go func() { // ends with the pipe
			_, _ = io.Copy(io.Discard, r)
		}()
		w.Flush(time.Hour)
		_, _ = w.Write(text)
		w.Flush(time.Hour)
		assert.EqualValues(t, 6, w.Lost())
		to.Close()
		r.Close()
	})
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// TestWriterFails: writes that the other writer refuses are counted.
func TestWriterFails(t *testing.T) {
	w := latewriter.New(full{}, 4<<20)
	_, err := io.WriteString(w, "lost")
	assert.NoError(t, err)
	w.Flush(30 * time.Second)
	assert.EqualValues(t, 1, w.Lost())
}

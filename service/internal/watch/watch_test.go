package watch

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestChanged(t *testing.T) {
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one"), filepath.Join(dir, "two")
	write := func(path, text string) { t.Helper(); require.NoError(t, os.WriteFile(path, []byte(text), 0o600)) }
	// written sets the time too, that a change is never within one tick of the file system's clock.
	at := time.Now().Add(-time.Hour)
	written := func(path, text string) {
		t.Helper()
		write(path, text)
		at = at.Add(time.Second)
		require.NoError(t, os.Chtimes(path, at, at))
	}
	for _, tt := range []struct {
		name   string
		change func(f *Files)
		want   []bool // of one look after the other
	}{
		{"nothing", func(*Files) {}, []bool{false, false, false}},
		{"written over", func(*Files) { written(one, "b") }, []bool{false, true, false}},
		{"removed", func(*Files) { require.NoError(t, os.Remove(one)) }, []bool{false, true, false}},
		{"a new file in its place", func(*Files) {
			written(two+".new", "c")
			require.NoError(t, os.Rename(two+".new", two))
		}, []bool{false, true, false}},
		{"read again before the look", func(f *Files) {
			written(one, "d")
			f.Forget()
			f.Know(one, two)
		}, []bool{false, false, false}},
		{"written while the program reads it, its path known late", func(f *Files) {
			f.Forget()
			f.Begin()
			time.Sleep(50 * time.Millisecond) // the file system's clock may be a tick behind
			write(one, "e")
			f.Know(one, two)
		}, []bool{false, true, false}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			written(one, "a")
			written(two, "a")
			f := new(Files)
			f.Begin()
			f.Know(one, two) // and now the program reads them
			tt.change(f)
			for i, want := range tt.want {
				assert.Equal(t, want, f.Changed([]string{one, two}), "look %d", i+1)
			}
		})
	}
}

// A file that goes on changing is left alone until it stays as it is.
func TestStillWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	f := new(Files)
	f.Begin()
	f.Know(path)
	for i := range 5 {
		require.NoError(t, os.WriteFile(path, make([]byte, i), 0o600))
		assert.False(t, f.Changed([]string{path}))
	}
	assert.True(t, f.Changed([]string{path}))
}

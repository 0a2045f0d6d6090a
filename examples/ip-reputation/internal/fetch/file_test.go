package fetch_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/examples/ip-reputation/internal/fetch"
)

// publisher answers with a text, and with 304 to clients that have it. It is not for
// concurrent use with Update.
type publisher struct {
	text, etag, sum string
	status          int
	whole           int // answers with the text
}

func (p *publisher) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/sum":
		fmt.Fprintf(w, "%s  list.txt\n", p.sum)
	case p.status != 0:
		w.WriteHeader(p.status)
	case p.etag != "" && r.Header.Get("If-None-Match") == p.etag, p.etag == "" && r.Header.Get("If-Modified-Since") == lastModified:
		w.WriteHeader(http.StatusNotModified)
	default:
		p.whole++
		w.Header().Set("Last-Modified", lastModified)
		if p.etag != "" {
			w.Header().Set("ETag", p.etag)
		}
		fmt.Fprint(w, p.text)
	}
}

const lastModified = "Fri, 02 Jan 2026 12:00:00 GMT"

func start(t *testing.T) (*publisher, fetch.File) {
	t.Helper()
	p := &publisher{text: "one", etag: `"1"`}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	return p, fetch.File{URL: server.URL + "/list", Path: filepath.Join(t.TempDir(), "list.txt")}
}

// update updates the file, and returns its text.
func update(t *testing.T, f fetch.File, replaced bool, wrong string) string {
	t.Helper()
	got, err := f.Update(t.Context())
	if wrong != "" {
		require.ErrorContains(t, err, wrong)
	} else {
		require.NoError(t, err)
	}
	assert.Equal(t, replaced, got)
	text, err := os.ReadFile(f.Path)
	if !errors.Is(err, os.ErrNotExist) {
		require.NoError(t, err)
	}
	return string(text)
}

// The text is fetched once as long as it does not change, also by the next process.
func TestETag(t *testing.T) {
	for _, etag := range []string{`"1"`, ""} { // by the ETag, by Last-Modified
		p, f := start(t)
		p.etag = etag
		assert.Equal(t, "one", update(t, f, true, ""))
		assert.Equal(t, "one", update(t, f, false, ""))
		assert.Equal(t, 1, p.whole)
	}
	p, f := start(t)
	update(t, f, true, "")
	p.text, p.etag = "two", `"2"`
	assert.Equal(t, "two", update(t, f, true, ""))
}

// A copy that is damaged or gone is fetched again, and so is a copy of another URL.
func TestDamagedCopy(t *testing.T) {
	p, f := start(t)
	update(t, f, true, "")
	require.NoError(t, os.WriteFile(f.Path, []byte("on"), 0o600))
	assert.Equal(t, "one", update(t, f, true, ""))
	require.NoError(t, os.Remove(f.Path))
	assert.Equal(t, "one", update(t, f, true, ""))
	require.NoError(t, os.WriteFile(f.Path+".fetch", []byte("{"), 0o600))
	assert.Equal(t, "one", update(t, f, true, ""))
	f.URL += "?2"
	assert.Equal(t, "one", update(t, f, true, ""))
	assert.Equal(t, 5, p.whole)
}

// After each failure, the last good copy stays.
func TestLastGoodCopyStays(t *testing.T) {
	p, f := start(t)
	update(t, f, true, "")
	p.text, p.etag = "an error page", `"2"`
	f.Check = func(name string, content []byte) error { return fmt.Errorf("%s is no list", name) }
	assert.Equal(t, "one", update(t, f, false, "is no list"))
	f.Check = nil
	p.status = http.StatusInternalServerError
	assert.Equal(t, "one", update(t, f, false, "answered 500 Internal Server Error: check the URL"))
	f.URL = "http://127.0.0.1:1/"
	assert.Equal(t, "one", update(t, f, false, "connection refused"))
}

// An answer whose checksum is not the publisher's is not taken.
func TestChecksum(t *testing.T) {
	p, f := start(t)
	f.Checksum = f.URL[:len(f.URL)-len("/list")] + "/sum"
	p.sum = fmt.Sprintf("%x", sha256.Sum256([]byte("two")))
	assert.Empty(t, update(t, f, false, "has the checksum"))
	p.text = "two"
	assert.Equal(t, "two", update(t, f, true, ""))
	f.Checksum = "http://127.0.0.1:1/"
	p.text, p.etag = "three", `"3"`
	assert.Equal(t, "two", update(t, f, false, "checksum: "))
}

package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// MaxSize is the maximum size of an answer, in bytes.
const MaxSize = 512 << 20

// timeout bounds a request, with its answer.
const timeout = 5 * time.Minute

// File is a file and its source.
type File struct {
	Path     string // Path plus ".fetch" remembers the last answer
	URL      string
	Checksum string // URL of a text that begins with the SHA-256 of the file, in hex; empty for none

	// Check returns an error for a bad answer. Nil accepts all.
	Check  func(path string, content []byte) error
	Client *http.Client // http.DefaultClient if nil

	// Done, if it is not nil, gets the result of each Update that Keep calls.
	Done func(replaced bool, err error)
}

// memory is stored beside the file: the headers of the last good answer.
type memory struct {
	URL          string `json:"url"`
	ETag         string `json:"etag,omitempty"`
	LastModified string `json:"last_modified,omitempty"`
	SHA256       string `json:"sha256"` // of the file: a damaged file is fetched again
}

// Update requests the file, and replaces it if there is a new and good one. It reports
// whether it did. After an error the file is unchanged.
func (f File) Update(ctx context.Context) (replaced bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	header := make(http.Header)
	if m := f.recall(); m.ETag != "" {
		header.Set("If-None-Match", m.ETag)
	} else if m.LastModified != "" {
		header.Set("If-Modified-Since", m.LastModified)
	}
	status, answer, content, err := f.get(ctx, f.URL, header)
	if err != nil || status == http.StatusNotModified {
		return false, err
	}
	sum := sum(content)
	if f.Checksum != "" {
		_, _, text, err := f.get(ctx, f.Checksum, nil)
		if err != nil {
			return false, fmt.Errorf("checksum: %w", err)
		}
		if want, _, _ := strings.Cut(strings.TrimSpace(string(text)), " "); !strings.EqualFold(want, sum) {
			return false, fmt.Errorf("%s has the checksum %s, but %s says %.64q: the next time may be better, or the file was tampered with", f.URL, sum, f.Checksum, want)
		}
	}
	if f.Check != nil {
		if err := f.Check(f.URL, content); err != nil {
			return false, err
		}
	}
	m := memory{URL: f.URL, ETag: answer.Get("ETag"), LastModified: answer.Get("Last-Modified"), SHA256: sum}
	note, err := json.Marshal(m)
	if err != nil {
		return false, err
	}
	// In this order: a note without its file has another checksum, and does not count.
	return true, errors.Join(replace(f.Path, content), replace(f.Path+".fetch", note))
}

func (f File) get(ctx context.Context, url string, header http.Header) (status int, answer http.Header, content []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, nil, nil, err
	}
	for name, values := range header {
		req.Header[name] = values
	}
	client := f.Client
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK && (header == nil || resp.StatusCode != http.StatusNotModified) {
		return 0, nil, nil, fmt.Errorf("%s answered %s: check the URL", url, resp.Status)
	}
	content, err = io.ReadAll(io.LimitReader(resp.Body, MaxSize+1))
	if err == nil && len(content) > MaxSize {
		err = fmt.Errorf("%s is larger than %d MiB", url, MaxSize>>20)
	}
	return resp.StatusCode, resp.Header, content, err
}

// recall returns the memory of the last answer, if the file is still the same.
func (f File) recall() (m memory) {
	note, err := os.ReadFile(f.Path + ".fetch")
	if err != nil || json.Unmarshal(note, &m) != nil || m.URL != f.URL {
		return memory{}
	}
	content, err := os.ReadFile(f.Path)
	if err != nil || sum(content) != m.SHA256 {
		return memory{}
	}
	return m
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// replace writes a temporary file in the same folder and renames it to path.
func replace(path string, content []byte) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, content) {
		return nil
	}
	if err := os.WriteFile(path+".new", content, 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

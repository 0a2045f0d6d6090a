package servicetest

import (
	"io"
	"net/http"
	"testing"
)

// Get returns the status and the body of an answer to a GET.
func Get(t testing.TB, url string) (status int, body string) {
	t.Helper()
	client := http.Client{Timeout: Patience, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

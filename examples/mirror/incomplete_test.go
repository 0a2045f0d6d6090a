package main_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

// HAProxy sends the beginning of a body that does not fit into its buffer. The site gets
// all of it.
func TestIncompleteBodies(t *testing.T) {
	body := make([]byte, 200_000)
	for i := range body {
		body[i] = byte('a' + rand.IntN(26))
	}
	post := func(t *testing.T, h *haproxytest.HAProxy, id string, body []byte, chunked bool) {
		req, err := http.NewRequest(http.MethodPost, h.URL, bytes.NewReader(body))
		require.NoError(t, err)
		req.Header.Set("X-Id", id)
		if chunked {
			req.ContentLength = -1
		}
		resp, err := h.Client().Do(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, resp.StatusCode)
	}
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		origin, drops, marks := newSite(t, nil), newSite(t, nil), newSite(t, nil)
		for incomplete, mirror := range map[string]*site{"drop": drops, "mark": marks} {
			a := startAgent(t, "-url", mirror.URL, "-incomplete", incomplete)
			h := startHAProxy(t, bin, a, origin)
			for i, chunked := range []bool{false, true} {
				post(t, h, "long "+strconv.Itoa(i), body, chunked)
				post(t, h, "short "+strconv.Itoa(i), body[:20_000], chunked)
			}
			if incomplete == "drop" {
				a.Scrape(t, copies(mirror, "incomplete", 2), copies(mirror, "answered", 2))
			} else {
				a.Scrape(t, copies(mirror, "answered", 4))
			}
		}
		for i := range 2 {
			long, short := "long "+strconv.Itoa(i), "short "+strconv.Itoa(i)
			assert.Equal(t, string(body), origin.all()[long][0].body)
			assert.NotContains(t, drops.all(), long)
			cut := marks.all()[long][0]
			assert.Greater(t, len(cut.body), 60_000)
			assert.Equal(t, string(body[:len(cut.body)]), cut.body)
			assert.Contains(t, cut.headers, "x-mirror-incomplete: "+strconv.Itoa(len(cut.body)))
			for _, mirror := range []*site{drops, marks} {
				assert.Equal(t, string(body[:20_000]), mirror.all()[short][0].body)
			}
		}
	})
}

// copies is a line of /metrics.
func copies(mirror *site, outcome string, n int) string {
	return `mirror_copies_total{mirror_outcome="` + outcome + `",mirror_target="` + mirror.addr() + `"} ` + strconv.Itoa(n)
}

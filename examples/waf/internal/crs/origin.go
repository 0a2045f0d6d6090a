package crs

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
)

// Origin is the site that the suite expects behind the firewall: a POST to /reflect
// describes its own response, and everything else is answered with 200.
var Origin http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/reflect" {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/plain")
		return
	}
	var spec struct {
		Status      int
		Headers     map[string]string
		Body        string
		EncodedBody string
	}
	if err := json.NewDecoder(r.Body).Decode(&spec); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	body := []byte(spec.Body)
	if spec.EncodedBody != "" {
		body, _ = base64.StdEncoding.DecodeString(spec.EncodedBody)
	}
	w.Header().Set("Content-Type", "text/plain")
	for name, value := range spec.Headers {
		w.Header().Set(name, value)
	}
	if spec.Status >= 200 {
		w.WriteHeader(spec.Status)
	}
	_, _ = w.Write(body)
})

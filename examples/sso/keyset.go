package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"golang.org/x/sync/singleflight"
)

// keySet are a provider's public keys. A token that names an unknown key has them read
// again, once in keyPause at most: tokens with made-up keys cost the provider nothing.
type keySet struct {
	keys  atomic.Pointer[[]jose.JSONWebKey]
	asked atomic.Int64 // when, for an unknown key; nanoseconds since 1970
	one   singleflight.Group
}

const (
	keyPause  = 10 * time.Second
	maxAnswer = 1 << 20
)

// load reads the keys.
func (k *keySet) load(ctx context.Context, client *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var set jose.JSONWebKeySet
	if err := readJSON(resp, &set); err != nil {
		return fmt.Errorf("the keys at %s: %w", url, err)
	}
	keys := slices.DeleteFunc(set.Keys, func(key jose.JSONWebKey) bool {
		return !key.Valid() || !key.IsPublic() || key.Use != "" && key.Use != "sig"
	})
	k.keys.Store(&keys)
	return nil
}

// readJSON reads an answer of a provider's.
func readJSON(resp *http.Response, v any) error {
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	return json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(v)
}

// verifying is a keySet for one configuration's verifier.
type verifying struct {
	*keySet
	client *http.Client
	about  *issuer
	now    func() time.Time
}

func (k *keySet) by(client *http.Client, a *issuer, now func() time.Time) oidc.KeySet {
	return verifying{k, client, a, now}
}

// VerifySignature implements oidc.KeySet. The verifier has checked the algorithm.
func (v verifying) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	algorithms := make([]jose.SignatureAlgorithm, len(knownAlgorithms))
	for i, a := range knownAlgorithms {
		algorithms[i] = jose.SignatureAlgorithm(a)
	}
	jws, err := jose.ParseSignedCompact(token, algorithms)
	if err != nil {
		return nil, err
	}
	header := jws.Signatures[0].Header
	payload, known := v.try(jws, header)
	if !known && v.again(ctx) {
		payload, _ = v.try(jws, header)
	}
	if payload == nil {
		return nil, fmt.Errorf("no key of the provider's verifies the token, which names %q", header.KeyID)
	}
	return payload, nil
}

// try verifies with the keys at hand; known is false if none has the token's key id.
func (v verifying) try(jws *jose.JSONWebSignature, header jose.Header) (payload []byte, known bool) {
	keys := v.keys.Load()
	if keys == nil {
		return nil, false
	}
	for _, key := range *keys {
		if header.KeyID != "" && key.KeyID != header.KeyID || key.Algorithm != "" && key.Algorithm != header.Algorithm {
			continue
		}
		known = true
		if payload, err := jws.Verify(&key); err == nil {
			return payload, true
		}
	}
	return nil, known
}

// again reads the keys again, and reports whether it has.
func (v verifying) again(ctx context.Context) bool {
	m := v.about.found.Load()
	if m == nil || v.now().UnixNano()-v.asked.Load() < int64(keyPause) {
		return false
	}
	done := v.one.DoChan("", func() (any, error) {
		v.asked.Store(v.now().UnixNano())
		return nil, v.load(context.WithoutCancel(ctx), v.client, m.Keys)
	})
	select {
	case r := <-done:
		return r.Err == nil
	case <-ctx.Done():
		return false
	}
}

// Package seal encrypts small values that go through a visitor's hands: sessions in
// cookies, return addresses, the state of a login. A value opens only for the purpose
// and the host that it was sealed for.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
)

// MinSecret is how many bytes a secret must have at least. They should be random.
const MinSecret = 32

// MaxText is how many bytes a sealed text can have; Open refuses longer ones unread.
const MaxText = 16 << 10

const idSize, nonceSize, tagSize = 4, 12, 16

// Keyring seals with its first key and opens with all. Several goroutines may use one.
type Keyring struct{ keys []key }

type key struct {
	id   [idSize]byte
	aead cipher.AEAD
}

// New makes a keyring, AES-256-GCM with keys derived from the secrets. An error names
// the secret by its place in the list.
func New(secrets []string) (*Keyring, error) {
	r := &Keyring{}
	for i, secret := range secrets {
		if len(secret) < MinSecret {
			return nil, fmt.Errorf("key %d has %d bytes: write %d random ones or more, such as those of openssl rand -base64 32", i+1, len(secret), MinSecret)
		}
		var k key
		id, err := hkdf.Key(sha256.New, []byte(secret), nil, "spoke sso key id", idSize)
		if err != nil {
			return nil, err
		}
		copy(k.id[:], id)
		raw, err := hkdf.Key(sha256.New, []byte(secret), nil, "spoke sso aes-256-gcm", 32)
		if err != nil {
			return nil, err
		}
		block, err := aes.NewCipher(raw)
		if err != nil {
			return nil, err
		}
		if k.aead, err = cipher.NewGCM(block); err != nil {
			return nil, err
		}
		r.keys = append(r.keys, k)
	}
	if len(r.keys) == 0 {
		return nil, errors.New("there is no key: write the output of openssl rand -base64 32")
	}
	return r, nil
}

// Seal returns value as text of letters, digits, '-' and '_', a third longer than the
// value and 43 bytes more.
func (r *Keyring) Seal(purpose, host string, value []byte) string {
	k := &r.keys[0]
	b := make([]byte, idSize+nonceSize, idSize+nonceSize+len(value)+tagSize)
	copy(b, k.id[:])
	rand.Read(b[idSize:])
	b = k.aead.Seal(b, b[idSize:idSize+nonceSize], value, binding(purpose, host))
	return base64.RawURLEncoding.EncodeToString(b)
}

// Open returns the value of a sealed text. ok is false for a text that was changed, was
// sealed for another purpose or host, or by a key that is not in the ring.
func (r *Keyring) Open(purpose, host, text string) (value []byte, ok bool) {
	if len(text) > MaxText {
		return nil, false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) < idSize+nonceSize+tagSize {
		return nil, false
	}
	for i := range r.keys {
		if k := &r.keys[i]; k.id == [idSize]byte(b) {
			rest := b[idSize:]
			value, err = k.aead.Open(rest[nonceSize:nonceSize], rest[:nonceSize], rest[nonceSize:], binding(purpose, host))
			return value, err == nil
		}
	}
	return nil, false
}

func binding(purpose, host string) []byte { return []byte(purpose + "\x00" + host) }

package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
)

// MinSecret is the minimum size of a secret, in bytes. Make secrets of random bytes.
const MinSecret = 32

// MaxText is the maximum size of a sealed text, in bytes; Open refuses longer texts without
// reading them.
const MaxText = 16 << 10

const idSize, nonceSize, untilSize = 4, 12, 8

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
		k, err := newKey([]byte(secret))
		if err != nil {
			return nil, err
		}
		r.keys = append(r.keys, k)
	}
	if len(r.keys) == 0 {
		return nil, errors.New("there is no key: write the output of openssl rand -base64 32")
	}
	return r, nil
}

func newKey(secret []byte) (k key, err error) {
	id, err := hkdf.Key(sha256.New, secret, nil, "spoke seal key id", idSize)
	if err != nil {
		return k, err
	}
	raw, err := hkdf.Key(sha256.New, secret, nil, "spoke seal aes-256-gcm", 32)
	if err != nil {
		return k, err
	}
	block, err := aes.NewCipher(raw)
	if err != nil {
		return k, err
	}
	k.id = [idSize]byte(id)
	k.aead, err = cipher.NewGCM(block)
	return k, err
}

// Seal returns value as text of letters, digits, '-' and '_', a third longer than the value
// and 54 bytes more. Open accepts it until a time, to the second; the zero time means no
// end.
func (r *Keyring) Seal(value []byte, until time.Time, words ...string) string {
	k := &r.keys[0]
	var end uint64
	if !until.IsZero() {
		end = uint64(max(1, until.Unix()))
	}
	plain := append(binary.BigEndian.AppendUint64(nil, end), value...)
	b := make([]byte, idSize+nonceSize)
	copy(b, k.id[:])
	rand.Read(b[idSize:])
	b = k.aead.Seal(b, b[idSize:], plain, binding(words))
	return base64.RawURLEncoding.EncodeToString(b)
}

// Open returns the value of a sealed text. ok is false if the text was changed, if it was
// sealed with other words or a key that is not in the ring, or if its time is over.
func (r *Keyring) Open(text string, now time.Time, words ...string) (value []byte, ok bool) {
	if len(text) > MaxText || strings.ContainsAny(text, "\r\n") { // base64 skips line breaks
		return nil, false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) < idSize+nonceSize {
		return nil, false
	}
	for i := range r.keys {
		k := &r.keys[i]
		if k.id != [idSize]byte(b) {
			continue
		}
		nonce, sealed := b[idSize:idSize+nonceSize], b[idSize+nonceSize:]
		plain, err := k.aead.Open(sealed[:0], nonce, sealed, binding(words))
		if err != nil {
			return nil, false
		}
		end := binary.BigEndian.Uint64(plain)
		return plain[untilSize:], end == 0 || now.Unix() <= int64(end)
	}
	return nil, false
}

// binding returns the words as one text, different for each list of words.
func binding(words []string) []byte {
	var b []byte
	for _, w := range words {
		b = append(binary.AppendUvarint(b, uint64(len(w))), w...)
	}
	return b
}

package seal_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/seal"
)

var (
	first  = strings.Repeat("1", seal.MinSecret)
	second = strings.Repeat("2", seal.MinSecret)
	now    = time.Unix(1_800_000_000, 0)
)

func ring(t testing.TB, secrets ...string) *seal.Keyring {
	t.Helper()
	r, err := seal.New(secrets)
	require.NoError(t, err)
	return r
}

func Example() {
	keys, err := seal.New([]string{"the output of openssl rand -base64 32"})
	if err != nil {
		fmt.Println(err)
		return
	}
	text := keys.Seal([]byte("/wiki/page"), time.Now().Add(time.Hour), "return", "www.example.com")
	value, ok := keys.Open(text, time.Now(), "return", "www.example.com")
	fmt.Printf("%s %v\n", value, ok)
	_, ok = keys.Open(text, time.Now(), "return", "other.example.com")
	fmt.Println(ok)
	// Output:
	// /wiki/page true
	// false
}

func TestOpen(t *testing.T) {
	r := ring(t, first)
	for _, value := range []string{"", "x", strings.Repeat("long ", 2000)} {
		text := r.Seal([]byte(value), time.Time{}, "a", "b")
		got, ok := r.Open(text, now, "a", "b")
		require.True(t, ok)
		assert.Equal(t, value, string(got))
		assert.NotEqual(t, text, r.Seal([]byte(value), time.Time{}, "a", "b"), "no two texts are the same")
		assert.LessOrEqual(t, len(text), (len(value)*4+2)/3+54)
		assert.Empty(t, strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"))
	}
}

func TestOtherWords(t *testing.T) {
	r := ring(t, first)
	text := r.Seal([]byte("x"), time.Time{}, "ab", "c")
	for _, words := range [][]string{nil, {"ab"}, {"abc"}, {"a", "bc"}, {"c", "ab"}, {"ab", "c", ""}, {"AB", "c"}} {
		_, ok := r.Open(text, now, words...)
		assert.False(t, ok, words)
	}
}

func TestUntil(t *testing.T) {
	r := ring(t, first)
	text := r.Seal([]byte("x"), now)
	_, ok := r.Open(text, now)
	assert.True(t, ok)
	_, ok = r.Open(text, now.Add(time.Second))
	assert.False(t, ok)
	_, ok = r.Open(r.Seal(nil, time.Unix(0, 0)), now)
	assert.False(t, ok, "the year 1970 is no time without an end")
	_, ok = r.Open(r.Seal(nil, time.Unix(0, 0)), time.Unix(2, 0))
	assert.False(t, ok)
}

func TestEveryBit(t *testing.T) {
	r := ring(t, first)
	text := r.Seal([]byte("value"), time.Time{}, "word")
	b, err := base64.RawURLEncoding.DecodeString(text)
	require.NoError(t, err)
	for i := range b {
		for bit := range 8 {
			b[i] ^= 1 << bit
			_, ok := r.Open(base64.RawURLEncoding.EncodeToString(b), now, "word")
			assert.False(t, ok, "bit %d of byte %d", bit, i)
			b[i] ^= 1 << bit
		}
		_, ok := r.Open(base64.RawURLEncoding.EncodeToString(b[:i]), now, "word")
		assert.False(t, ok, "cut at %d", i)
	}
	for _, other := range []string{text + "A", text + "=", text + "\n", text[:8] + "\r" + text[8:], " " + text, text + strings.Repeat("A", seal.MaxText)} {
		_, ok := r.Open(other, now, "word")
		assert.False(t, ok, "%.80q", other)
	}
}

func TestMaxText(t *testing.T) {
	r := ring(t, first)
	value := make([]byte, 12<<10-40)
	longest := r.Seal(value, time.Time{})
	require.Len(t, longest, 16<<10)
	_, ok := r.Open(longest, now)
	assert.True(t, ok)
	_, ok = r.Open(r.Seal(append(value, 0), time.Time{}), now)
	assert.False(t, ok)
}

func TestRotation(t *testing.T) {
	old := ring(t, first)
	both := ring(t, second, first)
	text := old.Seal([]byte("x"), time.Time{})
	_, ok := both.Open(text, now)
	assert.True(t, ok, "an old key opens")
	_, ok = old.Open(both.Seal([]byte("x"), time.Time{}), now)
	assert.False(t, ok, "the first key seals")
	_, ok = ring(t, second).Open(text, now)
	assert.False(t, ok, "a removed key opens nothing")
}

func TestSecrets(t *testing.T) {
	_, err := seal.New([]string{first, "short"})
	require.EqualError(t, err, "key 2 has 5 bytes: write 32 random ones or more, such as those of openssl rand -base64 32")
	_, err = seal.New(nil)
	require.Error(t, err)
}

func FuzzOpen(f *testing.F) {
	r := ring(f, first)
	f.Add(r.Seal([]byte("x"), time.Time{}, "word"))
	f.Fuzz(func(t *testing.T, text string) { r.Open(text, now, "other") })
}

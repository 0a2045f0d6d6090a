package codec_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
)

// threeArgs are the three arguments of a message and another one behind them.
func threeArgs() codec.Args {
	raw := argsOf(kv{"a", codec.Int64(1)}, kv{"b", codec.Int64(2)}, kv{"c", codec.Int64(3)}, kv{"behind", codec.Int64(4)}).Raw()
	return codec.NewArgs(raw, 3)
}

func TestArgsAt(t *testing.T) {
	args := threeArgs()
	for i, want := range []string{"a", "b", "c"} {
		name, v, ok := args.At(i)
		require.True(t, ok)
		assert.Equal(t, want, name)
		assert.True(t, codec.Int64(int64(i+1)).Equal(v))
	}
	for _, i := range []int{-1, 3, 4} {
		name, v, ok := args.At(i)
		assert.False(t, ok, i)
		assert.Empty(t, name)
		assert.True(t, v.IsNull())
	}
}

func TestArgsNext(t *testing.T) {
	var names []string
	for rest := threeArgs(); ; {
		name, _, more, ok := rest.Next()
		if !ok {
			break
		}
		names, rest = append(names, string(name)), more
		assert.Equal(t, 3-len(names), rest.Len())
	}
	assert.Equal(t, []string{"a", "b", "c"}, names)
}

// TestArgsMistakes: the text of an error has the mistake and its place.
func TestArgsMistakes(t *testing.T) {
	for raw, want := range map[string]string{
		"\x01a\x1f":         "the reserved type 15",
		"\x01a\x08\x03xy":   "argument value of 3 bytes goes beyond the 2 that are left",
		"\x01a\x06\x01\x02": "argument value of 4 bytes goes beyond the 2 that are left",
	} {
		args := codec.NewArgs([]byte(raw), 1)
		var skipped *codec.Error
		require.ErrorAs(t, args.Err(), &skipped, "% x", raw)
		assert.ErrorContains(t, skipped, want)
		var read *codec.Error
		require.ErrorAs(t, codec.Unmarshal(args, &struct {
			A string `spoe:"a"`
		}{}), &read)
		assert.Equal(t, skipped, read, "% x", raw)
	}
}

package wrap_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/internal/wrap"
)

func TestLines(t *testing.T) {
	word := strings.Repeat("w", 40)
	tests := map[string]struct {
		text string
		want []string
	}{
		"short":         {"a b", []string{"- a b"}},
		"spaces":        {" a \n b ", []string{"- a b"}},
		"nothing":       {"", []string{"-"}},
		"fits exactly":  {word + " " + word + "w", []string{"- " + word + " " + word + "w"}},
		"one too long":  {word + " " + word + "ww", []string{"- " + word, "  " + word + "ww"}},
		"a longer word": {strings.Repeat("w", 90) + " b", []string{"- " + strings.Repeat("w", 90), "  b"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.want, wrap.Lines("- ", "  ", test.text))
		})
	}
}

package conf

import (
	"fmt"
	"os"
	"strings"
)

// Secret is a setting that no log, error or -show-config shows: every way of printing
// it prints REDACTED. The text file:/run/secrets/token stands for the content of that
// file, without the line's end.
type Secret struct{ value string }

// NewSecret returns a secret with that value.
func NewSecret(value string) Secret { return Secret{value} }

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return s.value }

func (s Secret) String() string {
	if s.value == "" {
		return ""
	}
	return "REDACTED"
}

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return s.String() }

// MarshalText hides the secret from encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the secret, or the file that the text names.
func (s *Secret) UnmarshalText(text []byte) error {
	path, ok := strings.CutPrefix(string(text), "file:")
	if !ok {
		s.value = string(text)
		return nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if s.value = strings.TrimRight(string(b), "\r\n"); s.value == "" {
		return fmt.Errorf("the file is empty: write the secret into it")
	}
	return nil
}

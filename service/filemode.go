package service

import (
	"fmt"
	"io/fs"
	"strconv"
)

// FileMode is a file's permissions, in octal digits.
type FileMode fs.FileMode

// UnmarshalText reads octal digits; an empty text is 0.
func (m *FileMode) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*m = 0
		return nil
	}
	n, err := strconv.ParseUint(string(text), 8, 32)
	if err != nil || n > 0o777 {
		return fmt.Errorf("write three octal digits, such as 0660")
	}
	*m = FileMode(n)
	return nil
}

// MarshalText is the reverse of UnmarshalText.
func (m FileMode) MarshalText() ([]byte, error) {
	if m == 0 {
		return nil, nil // not set
	}
	return fmt.Appendf(nil, "0%o", uint32(m)), nil
}

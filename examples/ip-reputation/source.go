package main

import (
	"strconv"

	"github.com/spoke-go/spoke/examples/ip-reputation/internal/feed"
)

// listSource is a list: in the file a mapping or a text, elsewhere a text, see
// [feed.ParseSource].
type listSource struct {
	Name     string
	Score    int `min:"0" max:"100"`
	Optional bool
	URL      string
	Checksum string
	Path     string
}

// UnmarshalText reads a list.
func (l *listSource) UnmarshalText(text []byte) error {
	s, err := feed.ParseSource(string(text), false)
	*l = listSource{Name: s.List.Name, Score: s.List.Score, Optional: s.Optional, URL: s.URL, Checksum: s.Checksum, Path: s.Path}
	return err
}

// MarshalText is the reverse of UnmarshalText.
func (l listSource) MarshalText() ([]byte, error) {
	text := prefix(l.Name, l.Optional) + "score=" + strconv.Itoa(l.Score)
	if l.URL != "" {
		text += ",url=" + l.URL
	}
	if l.Checksum != "" {
		text += ",checksum=" + l.Checksum
	}
	return []byte(text + ",path=" + l.Path), nil
}

// Validate refuses what UnmarshalText does.
func (l listSource) Validate() error { _, err := l.source(); return err }

func (l listSource) source() (feed.Source, error) {
	text, _ := l.MarshalText()
	return feed.ParseSource(string(text), false)
}

// allowSource is an allow list, which has no score.
type allowSource struct {
	Name     string
	Optional bool
	Path     string
}

// UnmarshalText reads an allow list.
func (l *allowSource) UnmarshalText(text []byte) error {
	s, err := feed.ParseSource(string(text), true)
	*l = allowSource{Name: s.List.Name, Optional: s.Optional, Path: s.Path}
	return err
}

// MarshalText is the reverse of UnmarshalText.
func (l allowSource) MarshalText() ([]byte, error) {
	return []byte(prefix(l.Name, l.Optional) + "path=" + l.Path), nil
}

// Validate refuses what UnmarshalText does.
func (l allowSource) Validate() error { _, err := l.source(); return err }

func (l allowSource) source() (feed.Source, error) {
	text, _ := l.MarshalText()
	return feed.ParseSource(string(text), true)
}

func prefix(name string, optional bool) (text string) {
	if name != "" {
		text = "name=" + name + ","
	}
	if optional {
		text += "optional=true,"
	}
	return text
}

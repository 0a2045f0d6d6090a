package feed

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spoke-go/spoke/examples/ip-reputation/internal/reputation"
)

// Source is a file and the list that it feeds. Several files may feed one list.
type Source struct {
	List reputation.List
	Path string

	// URL is the source of the file, and Checksum the URL of a text that begins with
	// its SHA-256; empty if another program writes the file. A source with a URL is
	// Optional: the file comes later.
	URL, Checksum string

	// Optional: Load continues without the file if it is missing or broken, and Watch
	// loads it later. It is for files that a job fetches later.
	Optional bool

	// FS holds the file. Nil is the operating system's; files of any other file system
	// are read once and not watched.
	FS fs.FS
}

// AllowName is the name of an allow list without a name.
const AllowName = "allow"

// ParseSource reads a source in the form of a flag: a path, or comma-separated keys.
// path is the last key, because a path may have commas:
//
//	/etc/lists/tor.txt
//	name=tor,score=20,path=/etc/lists/tor.txt
//	name=tor,score=20,optional=true,path=/etc/lists/tor.txt
//	name=drop,url=https://lists.example/drop.txt,path=/var/lib/lists/drop.txt
//
// A list without a name has the name of its file, an allow list AllowName. A list
// without a score has the worst; an allow list cannot have a score.
func ParseSource(text string, allow bool) (Source, error) {
	s := Source{List: reputation.List{Score: reputation.Listed, Allow: allow}}
	if allow {
		s.List.Name, s.List.Score = AllowName, reputation.Clean
	}
	rest := text
	if !strings.Contains(text, "=") {
		rest = "path=" + text
	}
	for s.Path == "" {
		key, after, ok := strings.Cut(rest, "=")
		if !ok {
			return Source{}, errors.New("no path: write name=tor,score=20,path=/path/to/file")
		}
		value := after
		if key != "path" {
			value, rest, _ = strings.Cut(after, ",")
		}
		if err := s.set(key, value); err != nil {
			return Source{}, err
		}
	}
	if s.Checksum != "" && s.URL == "" {
		return Source{}, errors.New("checksum without url: write url, too")
	}
	if s.List.Name == "" {
		base := filepath.Base(s.Path)
		s.List.Name = strings.TrimSuffix(base, filepath.Ext(base))
	}
	if err := checkName(s.List.Name); err != nil {
		return Source{}, err
	}
	return s, nil
}

func (s *Source) set(key, value string) error {
	var err error
	switch key {
	case "name":
		s.List.Name = value
		return checkName(value)
	case "path":
		if value == "" {
			return errors.New("empty path")
		}
		s.Path = value
	case "url", "checksum":
		u, err := url.Parse(value)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return fmt.Errorf("%s is %q: write a URL such as https://lists.example/drop.txt", key, value)
		}
		if key == "checksum" {
			s.Checksum = value
			return nil
		}
		s.URL, s.Optional = value, true
	case "optional":
		if s.Optional, err = strconv.ParseBool(value); err != nil {
			return fmt.Errorf("optional is %q: write true or false", value)
		}
	case "score":
		if s.List.Allow {
			return fmt.Errorf("an allow list has no score: it is always %d", reputation.Clean)
		}
		s.List.Score, err = strconv.Atoi(value)
		if err != nil || s.List.Score < reputation.Listed || s.List.Score > reputation.Clean {
			return fmt.Errorf("score is %q: write a number from %d (listed) to %d (clean)",
				value, reputation.Listed, reputation.Clean)
		}
	default:
		return fmt.Errorf("unknown key %q: there are name, score, optional, url, checksum and path, the last one last", key)
	}
	return nil
}

// maxName is the longest name of a list, in bytes.
const maxName = 64

// checkName keeps names fit for logs, headers and HAProxy's rules.
func checkName(name string) error {
	ok := name != "" && len(name) <= maxName && !strings.ContainsFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r))
	})
	if !ok {
		return fmt.Errorf("list name %q: use up to %d letters, digits, '.', '_' and '-' (name=...)", name, maxName)
	}
	return nil
}

// CheckSources refuses lists that contradict each other.
func CheckSources(sources []Source) error {
	byName := make(map[string]Source, len(sources))
	for _, s := range sources {
		first, seen := byName[s.List.Name]
		if !seen {
			byName[s.List.Name] = s
			continue
		}
		if first.List != s.List {
			return fmt.Errorf("list %q has two meanings (score %d from %s, score %d from %s): give it one score, or two names",
				s.List.Name, first.List.Score, first.Path, s.List.Score, s.Path)
		}
		if first.Path == s.Path {
			return fmt.Errorf("list %q names %s twice: leave one out", s.List.Name, s.Path)
		}
	}
	return nil
}

package syntax

import (
	"path/filepath"
	"slices"
	"time"
)

// Section is a section of haproxy.cfg.
type Section struct {
	Kind, Name string // such as frontend and www
	Head       Directive
	Lines      []Directive
	defaults   *Section    // in force for it, or nil
	all        []Directive // the result of All, until the next Parse
}

// sectionKinds are the words that begin a section.
var sectionKinds = []string{
	"global", "defaults", "frontend", "backend", "listen",
	"acme", "cache", "crt-store", "fcgi-app", "healthcheck", "http-errors", "log-forward", "log-profile", "mailers",
	"peers", "program", "resolvers", "ring", "traces", "userlist",
}

// Configuration is all of haproxy.cfg.
type Configuration struct {
	Sections []*Section
}

// Parse adds the lines of one file. A section does not continue in the next file.
func (c *Configuration) Parse(lines []Directive) {
	var in, defaults *Section
	for i := len(c.Sections) - 1; i >= 0 && defaults == nil; i-- {
		if c.Sections[i].Kind == "defaults" {
			defaults = c.Sections[i]
		}
	}
	for _, d := range lines {
		if !slices.Contains(sectionKinds, d.Words[0]) {
			if in != nil {
				in.Lines = append(in.Lines, d)
			}
			continue
		}
		in = &Section{Kind: d.Words[0], Head: d}
		if len(d.Words) > 1 && d.Words[1] != "from" {
			in.Name = d.Words[1]
		}
		if in.IsProxy() || in.Kind == "defaults" {
			if from := d.after("from"); from != "" {
				in.defaults = c.Find(from, "defaults")
			} else if in.IsProxy() {
				in.defaults = defaults
			}
		}
		if in.Kind == "defaults" {
			defaults = in
		}
		c.Sections = append(c.Sections, in)
	}
}

func (s *Section) IsProxy() bool {
	return s.Kind == "frontend" || s.Kind == "backend" || s.Kind == "listen"
}

// Find returns the section of that name and of one of these kinds, or nil.
func (c *Configuration) Find(name string, kinds ...string) *Section {
	for _, s := range c.Sections {
		if s.Name == name && slices.Contains(kinds, s.Kind) {
			return s
		}
	}
	return nil
}

// All returns the lines that are in force for a section, those of its defaults
// first.
func (s *Section) All() []Directive {
	if s.defaults == nil {
		return s.Lines
	}
	if s.all == nil {
		s.all = slices.Concat(s.defaults.All(), s.Lines)
	}
	return s.all
}

// Servers returns the lines of a backend's servers.
func (s *Section) Servers() []Directive {
	var found []Directive
	for _, d := range s.Lines {
		if d.Is("server") || d.Is("server-template") {
			found = append(found, d)
		}
	}
	return found
}

// Has reports whether a line of that option is in force, or may be.
func (s *Section) Has(option string) bool {
	on := false
	for _, d := range s.All() {
		switch {
		case d.Is("option", option):
			on = true
		case d.Is("no", "option", option) && !d.Maybe:
			on = false
		}
	}
	return on
}

// Timeout returns a timeout that is in force for a section, and the line that sets it.
func (s *Section) Timeout(name string) (t time.Duration, at Directive, ok bool) {
	for _, d := range s.All() {
		if d.Is("timeout", name) && len(d.Words) > 2 && !d.Maybe {
			if v, valid := parseTime(d.Words[2]); valid {
				t, at, ok = v, d, true
			}
		}
	}
	return t, at, ok
}

// InspectDelay returns the time that rules on content wait, of "tcp-request" or
// "tcp-response", and the line that sets it.
func (s *Section) InspectDelay(side string) (t time.Duration, at Directive, ok bool) {
	for _, d := range s.All() {
		if d.Is(side, "inspect-delay") && len(d.Words) > 2 {
			t, ok = parseTime(d.Words[2])
			at = d
		}
	}
	return t, at, ok
}

// Mode returns a proxy's mode. It returns http if the mode may be http, for example
// without defaults, which may be in another file.
func (s *Section) Mode() string {
	mode := "tcp"
	if s.defaults == nil {
		mode = "http"
	}
	for _, d := range s.All() {
		switch {
		case d.Is("mode", "http"), d.Is("tcp-request", "content", "switch-mode", "http"):
			mode = "http"
		case d.Is("mode") && len(d.Words) > 1 && !d.Maybe:
			mode = d.Words[1]
		}
	}
	return mode
}

// globals returns the lines of the global sections that begin with a word and have
// a value.
func (c *Configuration) globals(word string) []Directive { return c.GlobalsUntil(nil, word) }

// GlobalsUntil returns the global lines before a section.
func (c *Configuration) GlobalsUntil(until *Section, word string) []Directive {
	var found []Directive
	for _, s := range c.Sections {
		if s == until {
			break
		}
		if s.Kind != "global" {
			continue
		}
		for _, d := range s.Lines {
			if d.Is(word) && len(d.Words) > 1 {
				found = append(found, d)
			}
		}
	}
	return found
}

// LoadsLua reports whether there are scripts.
func (c *Configuration) LoadsLua() bool {
	return len(c.globals("lua-load")) > 0 || len(c.globals("lua-load-per-thread")) > 0
}

// Filter is a line that loads an SPOE engine.
type Filter struct {
	Proxy  *Section
	At     Directive
	Engine string // empty without a name
	file   string
}

// Filters returns the lines that load SPOE engines.
func (c *Configuration) Filters() []Filter {
	var found []Filter
	for _, s := range c.Sections {
		if !s.IsProxy() {
			continue
		}
		for _, d := range s.Lines {
			if d.Is("filter", "spoe") {
				f := Filter{Proxy: s, At: d}
				for pair := range slices.Chunk(d.Words[2:], 2) {
					switch {
					case len(pair) < 2: // HAProxy refuses it
					case pair[0] == "engine":
						f.Engine = pair[1]
					case pair[0] == "config":
						f.file = pair[1]
					}
				}
				found = append(found, f)
			}
		}
	}
	return found
}

// Candidates returns the possible paths of a filter's SPOE file, the likeliest first.
func (c *Configuration) Candidates(f Filter) []string {
	beside := filepath.Join(filepath.Dir(f.At.File), f.file)
	if filepath.IsAbs(f.file) {
		return []string{f.file}
	}
	if set := c.globals("default-path"); len(set) > 0 {
		switch last := set[len(set)-1]; {
		case last.Is("default-path", "config"):
			return []string{beside}
		case last.Is("default-path", "parent"):
			return []string{filepath.Join(filepath.Dir(f.At.File), "..", f.file)}
		case last.Is("default-path", "origin") && len(last.Words) > 2:
			return []string{filepath.Join(last.Words[2], f.file)}
		}
	}
	return []string{f.file, beside}
}

package haproxy

import (
	"path/filepath"
	"slices"
)

// section is a section of haproxy.cfg.
type section struct {
	kind, name string // such as frontend and www
	head       directive
	lines      []directive
	defaults   *section // in force for it, or nil
}

// sectionKinds are the words that begin a section.
var sectionKinds = []string{
	"global", "defaults", "frontend", "backend", "listen",
	"acme", "cache", "crt-store", "fcgi-app", "healthcheck", "http-errors", "log-forward", "log-profile", "mailers",
	"peers", "program", "resolvers", "ring", "traces", "userlist",
}

// configuration is all of haproxy.cfg.
type configuration struct {
	sections []*section
}

// parse adds the lines of one file, which begins sections of its own.
func (c *configuration) parse(lines []directive) {
	var in, defaults *section
	for i := len(c.sections) - 1; i >= 0 && defaults == nil; i-- {
		if c.sections[i].kind == "defaults" {
			defaults = c.sections[i]
		}
	}
	for _, d := range lines {
		if !slices.Contains(sectionKinds, d.words[0]) {
			if in != nil {
				in.lines = append(in.lines, d)
			}
			continue
		}
		in = &section{kind: d.words[0], head: d}
		if len(d.words) > 1 && d.words[1] != "from" {
			in.name = d.words[1]
		}
		if in.isProxy() || in.kind == "defaults" {
			if from := d.after("from"); from != "" {
				in.defaults = c.find(from, "defaults")
			} else if in.isProxy() {
				in.defaults = defaults
			}
		}
		if in.kind == "defaults" {
			defaults = in
		}
		c.sections = append(c.sections, in)
	}
}

func (s *section) isProxy() bool {
	return s.kind == "frontend" || s.kind == "backend" || s.kind == "listen"
}

// find returns the section of that name and of one of these kinds, or nil.
func (c *configuration) find(name string, kinds ...string) *section {
	for _, s := range c.sections {
		if s.name == name && slices.Contains(kinds, s.kind) {
			return s
		}
	}
	return nil
}

// all returns the lines that are in force for a section, those of its defaults
// first.
func (s *section) all() []directive {
	if s.defaults == nil {
		return s.lines
	}
	return slices.Concat(s.defaults.all(), s.lines)
}

// has tells whether a line of that option is in force, or may be.
func (s *section) has(option string) bool {
	on := false
	for _, d := range s.all() {
		switch {
		case d.is("option", option):
			on = true
		case d.is("no", "option", option) && !d.maybe:
			on = false
		}
	}
	return on
}

// mode returns a proxy's mode: http where it may be, or become, that, as without
// defaults, which may be in a file that was not named.
func (s *section) mode() string {
	mode := "tcp"
	if s.defaults == nil {
		mode = "http"
	}
	for _, d := range s.all() {
		switch {
		case d.is("mode", "http"), d.is("tcp-request", "content", "switch-mode", "http"):
			mode = "http"
		case d.is("mode") && len(d.words) > 1 && !d.maybe:
			mode = d.words[1]
		}
	}
	return mode
}

// globals returns the lines of the global sections that begin with a word and have
// a value.
func (c *configuration) globals(word string) []directive { return c.globalsUntil(nil, word) }

// globalsUntil returns those that come before a section.
func (c *configuration) globalsUntil(until *section, word string) []directive {
	var found []directive
	for _, s := range c.sections {
		if s == until {
			break
		}
		if s.kind != "global" {
			continue
		}
		for _, d := range s.lines {
			if d.is(word) && len(d.words) > 1 {
				found = append(found, d)
			}
		}
	}
	return found
}

// loadsLua tells whether there are scripts.
func (c *configuration) loadsLua() bool {
	return len(c.globals("lua-load")) > 0 || len(c.globals("lua-load-per-thread")) > 0
}

// filter is a line that loads an SPOE engine.
type filter struct {
	proxy  *section
	at     directive
	engine string // empty without a name
	file   string
}

// filters returns the lines that load SPOE engines.
func (c *configuration) filters() []filter {
	var found []filter
	for _, s := range c.sections {
		if !s.isProxy() {
			continue
		}
		for _, d := range s.lines {
			if d.is("filter", "spoe") {
				f := filter{proxy: s, at: d}
				for pair := range slices.Chunk(d.words[2:], 2) {
					switch {
					case len(pair) < 2: // HAProxy refuses it
					case pair[0] == "engine":
						f.engine = pair[1]
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

// candidates returns where a filter's SPOE file may be, the likeliest first.
func (c *configuration) candidates(f filter) []string {
	beside := filepath.Join(filepath.Dir(f.at.file), f.file)
	if filepath.IsAbs(f.file) {
		return []string{f.file}
	}
	if set := c.globals("default-path"); len(set) > 0 {
		switch last := set[len(set)-1]; {
		case last.is("default-path", "config"):
			return []string{beside}
		case last.is("default-path", "parent"):
			return []string{filepath.Join(filepath.Dir(f.at.file), "..", f.file)}
		case last.is("default-path", "origin") && len(last.words) > 2:
			return []string{filepath.Join(last.words[2], f.file)}
		}
	}
	return []string{f.file, beside}
}

package main

import (
	"time"

	"github.com/spoke-go/spoke/examples/ip-reputation/internal/feed"
	"github.com/spoke-go/spoke/examples/ip-reputation/internal/reputation"
)

// Config are the agent's own settings.
type Config struct {
	List         []listSource  `value:"name=NAME,score=N,path=FILE" help:"a list, named NAME, whose addresses get the score N; once for each file. Files are as published: one address or CIDR a line, with comments (FireHOL netsets, Spamhaus DROP as text or JSON, Tor exit lists). FILE alone is short for the file's name and score 0. With optional=true, before path the agent starts without the file. The most specific entry decides; of equal ones the worst score"`
	Allow        []allowSource `value:"FILE" help:"an allow list: its addresses get 100 whatever other lists say. It is named allow, or NAME with name=NAME,path=FILE"`
	Poll         time.Duration `min:"1ms" help:"how often to look whether a list's file has changed; SIGHUP reads all at once. A file that is broken or empty changes nothing: the last good one stays"`
	LogDecisions bool          `help:"log a line for every decision (at debug level, always)"`
}

var defaults = Config{Poll: feed.DefaultPoll}

// Validate refuses lists that contradict each other.
func (c Config) Validate() error { return feed.CheckSources(c.sources()) }

// sources are all lists, or samples if there are none. A list that is wrong in
// itself is left out: its own Validate says so.
func (c Config) sources() (sources []feed.Source) {
	for _, l := range c.List {
		if s, err := l.source(); err == nil {
			sources = append(sources, s)
		}
	}
	for _, l := range c.Allow {
		if s, err := l.source(); err == nil {
			sources = append(sources, s)
		}
	}
	if len(c.List)+len(c.Allow) == 0 {
		return sampleSources()
	}
	return sources
}

// sampleSources are lists of documentation addresses, one in each published form,
// for an agent that was given no list.
func sampleSources() []feed.Source {
	return []feed.Source{
		sample("blocklist", 0, "lists/blocklist.netset"),
		sample("drop", 0, "lists/drop.json"),
		sample("tor", 20, "lists/tor-exits.txt"),
		sample("suspects", 50, "lists/suspects.txt"),
		{List: reputation.List{Name: feed.AllowName, Score: reputation.Clean, Allow: true}, Path: "lists/allow.txt", FS: samples},
	}
}

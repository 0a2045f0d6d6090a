package main

import (
	"time"

	"github.com/spoke-go/spoke/examples/ip-reputation/internal/feed"
	"github.com/spoke-go/spoke/examples/ip-reputation/internal/geo"
	"github.com/spoke-go/spoke/examples/ip-reputation/internal/reputation"
	"github.com/spoke-go/spoke/service"
)

// Config are the agent's own settings.
type Config struct {
	List         []listSource  `value:"name=NAME,score=N,path=FILE" help:"a list, named NAME, whose addresses get the score N; once for each file. Files are as published: one address or CIDR a line, with comments (FireHOL netsets, Spamhaus DROP as text or JSON, Tor exit lists). FILE alone is short for the file's name and score 0. With optional=true before path the agent starts without the file. With url=URL the agent fetches it itself and keeps it at path; checksum=URL names a text with its SHA-256. The most specific entry decides; of equal ones the worst score"`
	Allow        []allowSource `value:"FILE" help:"an allow list: its addresses get 100 whatever other lists say. It is named allow, or NAME with name=NAME,path=FILE"`
	Poll         time.Duration `min:"1ms" help:"how often to look whether a list's file has changed; SIGHUP reads all at once. A file that is broken or empty changes nothing: the last good one stays"`
	FetchEvery   time.Duration `min:"1ms" help:"how often to ask the URLs of lists whether there is a newer one"`
	Database     []string      `value:"FILE" help:"a database in MaxMind's format (.mmdb) with countries or networks; of several the first that knows a field counts. A changed file is taken in, a broken one changes nothing"`
	Geo          []geo.Rule    `value:"country=CODE,score=N" help:"a score for the addresses of a country, a continent (continent=CODE) or an autonomous system (asn=N); without a score it is 0. The worst score of rules and lists counts, but an allow list wins"`
	Field        []geoField    `conf:",fixed" value:"NAME=PATH" help:"a further value of the databases as the variable sess.iprep.NAME, such as city=city.names.en"`
	LogDecisions bool          `help:"log a line for every decision (at debug level, always)"`
}

var defaults = Config{Poll: feed.DefaultPoll, FetchEvery: 12 * time.Hour}

// Validate refuses lists that contradict each other, and rules and fields without a
// database.
func (c Config) Validate() error {
	switch {
	case len(c.Database) > 0:
	case len(c.Geo) > 0:
		return service.Wrong("geo", "is set without database: write database, too")
	case len(c.Field) > 0:
		return service.Wrong("field", "is set without database: write database, too")
	}
	return feed.CheckSources(c.sources())
}

// sources returns all lists, or samples if there are no lists and no databases. It leaves
// out a wrong list: its own Validate reports it.
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
	if len(c.List)+len(c.Allow)+len(c.Database) == 0 {
		return sampleSources()
	}
	return sources
}

// sampleSources are lists of documentation addresses, one in each published form, for an
// agent without a list or a database.
func sampleSources() []feed.Source {
	return []feed.Source{
		sample("blocklist", 0, "lists/blocklist.netset"),
		sample("drop", 0, "lists/drop.json"),
		sample("tor", 20, "lists/tor-exits.txt"),
		sample("suspects", 50, "lists/suspects.txt"),
		{List: reputation.List{Name: feed.AllowName, Score: reputation.Clean, Allow: true}, Path: "lists/allow.txt", FS: samples},
	}
}

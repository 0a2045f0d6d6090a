package main

import (
	"embed"

	"github.com/spoke-go/spoke/examples/ip-reputation/internal/feed"
	"github.com/spoke-go/spoke/examples/ip-reputation/internal/reputation"
)

// samples are lists of documentation addresses, one in each published form, for
// an agent that was given no list.
//
//go:embed lists
var samples embed.FS

// sampleSources names them and gives them their scores.
func sampleSources() []feed.Source {
	return []feed.Source{
		sample("blocklist", 0, "lists/blocklist.netset"),
		sample("drop", 0, "lists/drop.json"),
		sample("tor", 20, "lists/tor-exits.txt"),
		sample("suspects", 50, "lists/suspects.txt"),
		{List: reputation.List{Name: feed.AllowName, Score: reputation.Clean, Allow: true}, Path: "lists/allow.txt", FS: samples},
	}
}

func sample(name string, score int, path string) feed.Source {
	return feed.Source{List: reputation.List{Name: name, Score: score}, Path: path, FS: samples}
}

package main

import (
	"embed"

	"github.com/spoke-go/spoke/examples/ip-reputation/internal/feed"
	"github.com/spoke-go/spoke/examples/ip-reputation/internal/reputation"
)

// samples are lists of documentation addresses, one in each published form, for an
// agent without a list.
//
//go:embed lists
var samples embed.FS

func sample(name string, score int, path string) feed.Source {
	return feed.Source{List: reputation.List{Name: name, Score: score}, Path: path, FS: samples}
}

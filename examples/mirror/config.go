package main

import (
	"strconv"
	"time"

	"github.com/spoke-go/spoke/service"
)

// Config are the agent's own settings.
type Config struct {
	URL    []string `value:"URL" help:"a site that gets copies, such as http://127.0.0.1:8082; once for each. The path of a request is appended to that of the URL"`
	Target []Target `help:"sites that get copies, with settings of their own"`

	Share       float64       `min:"0" max:"100" value:"PERCENT" help:"how many of the requests are copied to a target that has no share of its own"`
	Incomplete  string        `oneof:"drop,mark" help:"the treatment of a request whose body HAProxy has not sent whole: drop copies nothing, mark copies the beginning with the header X-Mirror-Incomplete"`
	CopyTimeout time.Duration `min:"1ms" max:"10m" help:"how long a copy may take, from the connection to the end of the answer"`
	Workers     int           `min:"1" max:"10000" help:"how many copies to a target are on their way at once"`
	Queue       int           `min:"1" max:"10000000" help:"how many more wait for each target; further ones are dropped and counted"`
	QueueBytes  int           `min:"1" value:"BYTES" help:"how large those may be together"`
	LogCopies   bool          `help:"log a line for every copy"`
}

var defaults = Config{
	Share: 100, Incomplete: "drop", CopyTimeout: 5 * time.Second, Workers: 32, Queue: 1024, QueueBytes: 64 << 20,
}

// Validate refuses targets with the same name, which metrics could not distinguish.
func (c Config) Validate() error {
	seen := make(map[string]string)
	for i, url := range c.URL {
		if _, err := parseURL(url); err != nil {
			return service.Wrong("url["+strconv.Itoa(i)+"]", "%v", err)
		}
	}
	for i, t := range c.targets() {
		key := "target[" + strconv.Itoa(i-len(c.URL)) + "]"
		if i < len(c.URL) {
			key = "url[" + strconv.Itoa(i) + "]"
		}
		if other, ok := seen[t.name()]; ok {
			return service.Wrong(key, "is named %q, as %s is: write another name", t.name(), other)
		}
		seen[t.name()] = key
	}
	return nil
}

// targets returns the targets of -url and of the file.
func (c *Config) targets() (all []Target) {
	for _, url := range c.URL {
		all = append(all, Target{URL: url})
	}
	return append(all, c.Target...)
}

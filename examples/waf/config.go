package main

import (
	"fmt"
	"time"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/service"
)

// Config are the agent's own settings.
type Config struct {
	Applications []Application `help:"the sites with their rules; without any, all sites have the Core Rule Set"`
	Agent        string        `conf:",fixed" value:"NAME" help:"this agent's name, that of its server line: agent1 for the first one. With several agents HAProxy brings a response to the agent of that name"`
	Concurrency  int           `conf:",fixed" min:"0" help:"how many messages are judged at once; 0 is two for each processor. Messages of more than 16 KiB get half of these places"`
	Pending      int           `conf:",fixed" min:"1" help:"how many requests wait for their responses at most; the oldest ones give way, and HAProxy refuses their responses"`
	PendingFor   time.Duration `conf:",fixed" min:"1s" help:"how long a request waits for its response; longer than HAProxy's timeout server"`
	AuditLog     string        `value:"FILE" help:"where Coraza writes its audit log as JSON, a line for each transaction that SecAuditEngine selects; without it the rules say where. /dev/stdout is standard output"`
	LogHits      bool          `help:"log a line for each rule that matches and logs (at debug level, always)"`
}

var defaults = Config{Applications: []Application{{Name: "default", Responses: true}}, Agent: "agent1", Pending: 10000, PendingFor: time.Minute}

// Application is a site, or several with the same rules.
type Application struct {
	Name       string
	Hosts      []string // without any, for the hosts of no other application
	Directives string
	Files      []string
	Responses  bool
	DetectOnly bool
	CutBody    string `oneof:"refuse,judge,pass"`
}

// The values of Application.CutBody. Default: cutRefuse.
const (
	cutRefuse = "refuse" // 413
	cutJudge  = "judge"  // the rules see the beginning
	cutPass   = "pass"   // the rules see no body
)

// coreRuleSet is the directives of an application without directives and files. The rule set's
// own example has rules log in the phases 1 and 2 alone.
const coreRuleSet = `Include @coraza.conf-recommended
Include @crs-setup.conf.example
SecDefaultAction "phase:3,log,auditlog,pass"
SecDefaultAction "phase:4,log,auditlog,pass"
Include @owasp_crs/*.conf
SecRuleEngine On
`

// Validate refuses applications that contradict each other.
func (c Config) Validate() error {
	if len(c.Applications) == 0 {
		return service.Wrong("applications", "is empty: without the line, all sites have the Core Rule Set")
	}
	taken := make(map[string]int)
	for i, app := range c.Applications {
		key := fmt.Sprintf("applications[%d]", i)
		if app.Name == "" {
			return service.Wrong(key+".name", "is empty: write a name, such as shop")
		}
		names := []string{"the name " + app.Name}
		for _, h := range app.Hosts {
			if host, err := codec.ParseHost(h); err != nil || host.Name != h {
				return service.Wrong(key+".hosts", "%q is no host name in lower case without a port", h)
			}
			names = append(names, "the host "+h)
		}
		if len(app.Hosts) == 0 {
			names = append(names, "the hosts of no other application")
		}
		for _, name := range names {
			if other, ok := taken[name]; ok {
				return service.Wrong(key, "has %s, which applications[%d] has: give it to one of them", name, other)
			}
			taken[name] = i
		}
	}
	return nil
}

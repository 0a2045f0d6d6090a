package main

import (
	"time"

	"github.com/spoke-go/spoke/examples/waf/internal/rules"
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
	Hosts      []string // or *.example.com; without any, for the hosts of no other application
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

// Validate refuses applications that contradict each other.
func (c Config) Validate() error {
	_, err := newApplications(c.Applications)
	return err
}

// source returns the source of the application's rules. records reports whether the audit
// log is also wanted as log records.
func (a *Application) source(auditLog string, records bool) rules.Source {
	src := rules.Source{Directives: a.Directives, Files: a.Files, Records: records}
	if a.DetectOnly {
		src.Last += "SecRuleEngine DetectionOnly\n"
	}
	if auditLog != "" {
		src.Last += "SecAuditLogType Serial\nSecAuditLogFormat JSON\nSecAuditLog " + auditLog + "\n"
	}
	return src
}

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/examples/waf/internal/rules"
)

// application is an Application with its rules compiled.
type application struct {
	Application
	rules *rules.Set
}

// applications are those of one configuration.
type applications struct {
	byName map[string]*application
	byHost map[string]*application // "" is for all other hosts
}

// compile makes the applications of a configuration. Its error names the files and
// lines that are wrong, those of all applications.
func (w *waf) compile(_ context.Context, c *Config) (*applications, error) {
	apps := &applications{byName: make(map[string]*application), byHost: make(map[string]*application)}
	var errs []error
	for _, a := range c.Applications {
		set, err := rules.Compile(a.source(c.AuditLog, w.audits()))
		if err != nil {
			errs = append(errs, fmt.Errorf("application %s: %w", a.Name, err))
			continue
		}
		app := &application{a, set}
		apps.byName[a.Name] = app
		for _, host := range a.Hosts {
			apps.byHost[host] = app
		}
		if len(a.Hosts) == 0 {
			apps.byHost[""] = app
		}
	}
	if err := errors.Join(errs...); err != nil {
		apps.Close()
		return nil, err
	}
	return apps, nil
}

// source is where the application's rules come from. records reports whether the audit log
// is also wanted as log records.
func (a Application) source(auditLog string, records bool) rules.Source {
	src := rules.Source{Directives: a.Directives, Files: a.Files, Records: records}
	if a.Directives == "" && len(a.Files) == 0 {
		src.Directives = coreRuleSet
	}
	if a.DetectOnly {
		src.Last += "SecRuleEngine DetectionOnly\n"
	}
	if auditLog != "" {
		src.Last += "SecAuditLogType Serial\nSecAuditLogFormat JSON\nSecAuditLog " + auditLog + "\n"
	}
	return src
}

// find returns the application of that name, else that of the host, which may have a port,
// else that of all other hosts.
func (a *applications) find(name, host string) (*application, error) {
	h, _ := codec.ParseHost(host) // a host that cannot be read is one of the other hosts
	if app := cmp.Or(a.byName[name], a.byHost[h.Name], a.byHost[""]); app != nil {
		return app, nil
	}
	return nil, fmt.Errorf("the host %q belongs to no application: give it to one, or write one without hosts", host)
}

// files are the rule files on disk, which are reloaded when they change.
func (a *applications) files() (names []string) {
	for _, app := range a.byName {
		names = append(names, app.rules.Files...)
	}
	return names
}

// Close frees the rules, once the audit log's queue is written, for which it waits two
// seconds at most. Transactions that are under way go on.
func (a *applications) Close() error {
	rules.FlushAudit(2 * time.Second)
	for _, app := range a.byName {
		app.rules.Close()
	}
	return nil
}

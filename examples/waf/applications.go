package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/examples/waf/internal/rules"
	"github.com/spoke-go/spoke/service"
)

// application is an Application with its rules compiled.
type application struct {
	Application
	rules *rules.Set
}

// applications are those of one configuration.
type applications struct {
	byName map[string]*application
	byHost codec.Hosts[*application]
	others *application    // for all other hosts
	ending <-chan struct{} // closed when the program ends
}

// newApplications returns applications without their rules. Its error is about settings.
func newApplications(list []Application) (*applications, error) {
	if len(list) == 0 {
		return nil, service.Wrong("applications", "is empty: without the line, all sites have the Core Rule Set")
	}
	apps := &applications{byName: make(map[string]*application)}
	for i, a := range list {
		app, key := &application{Application: a}, fmt.Sprintf("applications[%d].", i)
		switch {
		case a.Name == "":
			return nil, service.Wrong(key+"name", "is empty: write a name, such as shop")
		case apps.byName[a.Name] != nil:
			return nil, service.Wrong(key+"name", "%q is there twice: write another name", a.Name)
		case len(a.Hosts) == 0 && apps.others != nil:
			return nil, service.Wrong(key+"hosts", "is empty, as for the application %s: one alone can be for all other hosts", apps.others.Name)
		case len(a.Hosts) == 0:
			apps.others = app
		}
		apps.byName[a.Name] = app
		for _, host := range a.Hosts {
			if err := apps.byHost.Add(host, app); err != nil {
				return nil, service.Wrong(key+"hosts", "%v", err)
			}
		}
	}
	return apps, nil
}

// compile makes the applications of a configuration. Its error names the files and
// lines that are wrong, those of all applications.
func (w *waf) compile(_ context.Context, c *Config) (*applications, error) {
	apps, err := newApplications(c.Applications)
	if err != nil {
		return nil, err
	}
	apps.ending = w.ending
	var errs []error
	for _, app := range apps.byName {
		if app.rules, err = rules.Compile(app.source(c.AuditLog, w.audits())); err != nil {
			errs = append(errs, fmt.Errorf("application %s: %w", app.Name, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		apps.Close()
		return nil, err
	}
	return apps, nil
}

// find returns the application of that name, else that of the host, which may have a port,
// else that of all other hosts.
func (a *applications) find(name, host string) (*application, error) {
	h, _ := codec.ParseHost(host) // a host that cannot be read is one of the other hosts
	byHost, _ := a.byHost.Find(h)
	if app := cmp.Or(a.byName[name], byHost, a.others); app != nil {
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

// Close frees the rules when their last transaction ends and the audit log's queue is
// written, for which it waits two seconds at most.
func (a *applications) Close() error {
	for _, app := range a.byName {
		if app.rules != nil {
			app.rules.Close(a.ending)
		}
	}
	rules.FlushAudit(2 * time.Second)
	return nil
}

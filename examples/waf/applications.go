package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/examples/waf/internal/rules"
)

// application is an Application with its rules compiled.
type application struct {
	Application
	rules *rules.Set
	hits  map[int][]metric.AddOption // by rule, for the metric
}

// applications are those of one configuration.
type applications struct {
	all      []*application
	byName   map[string]*application
	byHost   map[string]*application
	fallback *application // for other hosts; nil: there is none
}

// compile makes the applications of a configuration. Its error names the files and
// lines that are wrong, those of all applications.
func (w *waf) compile(_ context.Context, c *Config) (*applications, error) {
	apps := &applications{byName: make(map[string]*application), byHost: make(map[string]*application)}
	var errs []error
	for _, a := range c.applications() {
		app, err := newApplication(a, c.AuditLog, w.audits())
		if err != nil {
			errs = append(errs, fmt.Errorf("application %s: %w", a.Name, err))
			continue
		}
		apps.all = append(apps.all, app)
		apps.byName[a.Name] = app
		for _, h := range a.Hosts {
			apps.byHost[strings.ToLower(h)] = app
		}
		if len(a.Hosts) == 0 {
			apps.fallback = app
		}
	}
	if err := errors.Join(errs...); err != nil {
		apps.Close()
		return nil, err
	}
	return apps, nil
}

func newApplication(a Application, auditLog string, records bool) (*application, error) {
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
	set, err := rules.Compile(src)
	if err != nil {
		return nil, err
	}
	app := &application{Application: a, rules: set, hits: make(map[int][]metric.AddOption)}
	for _, id := range set.IDs {
		app.hits[id] = []metric.AddOption{metric.WithAttributeSet(attribute.NewSet(
			attribute.String("waf.application", a.Name), attribute.Int("waf.rule", id)))}
	}
	return app, nil
}

// find returns the application of that name, else that of the host, which may have a
// port, else the default. It returns nil if there is none.
func (a *applications) find(name, host string) *application {
	if app := a.byName[name]; app != nil {
		return app
	}
	if h, err := codec.ParseHost(host); err == nil && a.byHost[h.Name] != nil {
		return a.byHost[h.Name]
	}
	return a.fallback
}

// files are the rule files on disk, which are reloaded when they change.
func (a *applications) files() (names []string) {
	for _, app := range a.all {
		names = append(names, app.rules.Files...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Close frees the rules. Transactions that are under way go on.
func (a *applications) Close() error {
	for _, app := range a.all {
		app.rules.Close()
	}
	return nil
}

package check

import (
	"iter"
	"slices"

	"github.com/spoke-go/spoke/haproxy/internal/model"
	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

// sending is an event or a rule that sends a message.
type sending struct {
	stage syntax.Stage
	proxy *syntax.Section  // with the filter line or the rule
	rule  int              // the index of the rule in the proxy's lines; -1 for an event
	at    syntax.Directive // the event, or the rule
}

// place is the place of an event or a rule: a stage and, within it, a line of a section.
type place struct {
	stage syntax.Stage
	in    *syntax.Section
	line  int
}

// before reports whether p certainly comes before q.
func (p place) before(q place) bool {
	return p.stage < q.stage || p.stage == q.stage && p.in == q.in && p.line < q.line
}

func (s *sending) place() place { return place{s.stage, s.proxy, s.rule} }

// place returns where a line of haproxy.cfg is evaluated.
func (o *occurrence) place() place { return place{syntax.RuleStage(o.in, &o.at), o.in, o.line} }

// setters returns the sendings of the messages that set a variable, with the messages' names.
func (c *checker) setters(scope, name string) iter.Seq2[string, sending] {
	return func(yield func(string, sending) bool) {
		for i := range c.agent.Messages {
			m := &c.agent.Messages[i]
			sent := c.engine.Message(m.Name)
			if sent == nil || !model.SetsVar(m, scope, name) {
				continue
			}
			for _, s := range c.sendings(sent) {
				if !yield(m.Name, s) {
					return
				}
			}
		}
	}
}

// sendings returns the event and the rules that send a message.
func (c *checker) sendings(m *syntax.SPOEMessage) []sending {
	var all []sending
	if m.Event != "" && syntax.Mentions(c.engine.Listed, m.Name) {
		for _, f := range c.filters {
			if s := c.cfg.EventStage(m.Event, f.Proxy); s != syntax.StageUnknown {
				all = append(all, sending{stage: s, proxy: f.Proxy, rule: -1, at: m.EventAt})
			}
		}
	}
	if g, _ := c.engine.GroupOf(m.Name); g != nil && syntax.Mentions(c.engine.ListedGroups, g.Name) {
		all = append(all, c.rules(g)...)
	}
	return all
}

// rules returns the rules that send a group.
func (c *checker) rules(g *syntax.SPOEGroup) []sending {
	name := c.engine.ID()
	var all []sending
	for _, s := range c.cfg.Sections {
		for line, d := range s.Lines {
			if i := slices.Index(d.Words, "send-spoe-group"); i >= 0 && i+2 < len(d.Words) && d.Words[i+1] == name && d.Words[i+2] == g.Name {
				all = append(all, sending{stage: syntax.RuleStage(s, &d), proxy: s, rule: line, at: d})
			}
		}
	}
	return all
}

package haproxy

import "slices"

// sending is a place from which a message is sent.
type sending struct {
	stage stage
	proxy *section  // that has the filter line or the rule
	rule  int       // the index of the rule in the proxy's lines; -1 for an event
	at    directive // the event, or the rule
}

// sendings returns from where a message is sent: never, by its event, by rules.
func (c *checker) sendings(m *spoeMessage) []sending {
	var all []sending
	if m.event != "" && mentions(c.engine.listed, m.name) {
		for _, f := range c.filters {
			if s := c.cfg.eventStage(m.event, f.proxy); s != stageUnknown {
				all = append(all, sending{stage: s, proxy: f.proxy, rule: -1, at: m.eventAt})
			}
		}
	}
	if g, _ := c.engine.groupOf(m.name); g != nil && mentions(c.engine.listedGroups, g.name) {
		all = append(all, c.rules(g)...)
	}
	return all
}

// rules returns the rules that send a group.
func (c *checker) rules(g *spoeGroup) []sending {
	name := c.engine.id()
	var all []sending
	for _, s := range c.cfg.sections {
		for line, d := range s.lines {
			if i := slices.Index(d.words, "send-spoe-group"); i >= 0 && i+2 < len(d.words) && d.words[i+1] == name && d.words[i+2] == g.name {
				all = append(all, sending{stage: ruleStage(s, &d), proxy: s, rule: line, at: d})
			}
		}
	}
	return all
}

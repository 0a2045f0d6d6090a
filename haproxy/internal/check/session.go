package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spoke-go/spoke/haproxy/internal/model"
	"github.com/spoke-go/spoke/haproxy/internal/samples"
	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

// ofRequest lists samples that differ between the requests of a connection.
var ofRequest = []string{"path", "pathq", "url", "base", "query", "method", "url_param", "urlp", "hdr", "cook"}

// checkSession finds verdicts about one request that are kept in the session, which
// all requests of a connection share.
func (c *checker) checkSession(m *syntax.SPOEMessage, known *model.Message) {
	per := slices.IndexFunc(m.Args, func(a syntax.SentArg) bool {
		name := samples.Name(a.Fetch)
		return slices.Contains(ofRequest, name) || strings.HasPrefix(name, "req.")
	})
	if per < 0 || !slices.ContainsFunc(c.sendings(m), func(s sending) bool { return s.proxy.Mode() == "http" && s.stage >= syntax.StageFrontendHTTP }) {
		return
	}
	for _, v := range known.Vars {
		if v.Scope != "sess" {
			continue
		}
		full := c.engine.FullName(v.Scope, v.Name)
		i := slices.IndexFunc(c.occurrences, func(o occurrence) bool {
			return o.read && o.scope+"."+o.name == full && o.in != nil && (o.at.Is("http-request") || o.at.Is("use_backend") || o.at.Is("acl"))
		})
		cleared := slices.ContainsFunc(c.occurrences, func(o occurrence) bool {
			return !o.read && o.scope+"."+o.name == full && strings.Contains(o.at.Text(), "unset-var(")
		})
		if i < 0 || cleared {
			continue
		}
		c.find(SharedVerdict, c.occurrences[i].at,
			fmt.Sprintf("this rule reads %s, which the message %q sets by %s", full, m.Name, m.Args[per].Fetch),
			"The requests of a connection share the variable: a request without an answer uses the answer of an earlier request.",
			"Let the handler set a variable of the scope txn; or write \"http-request unset-var("+full+")\", before a rule that sends the message.")
	}
}

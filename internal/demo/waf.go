package main

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
)

// waf shows the Core Rule Set in examples/waf.
var waf = scene{
	dir:  "examples/waf",
	env:  "WAF",
	note: "HAProxy's log has the rules of each request: hit=942100,949110.",
	site: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		if r.URL.Path == "/leak" {
			_, _ = io.WriteString(w, "You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version\n")
			return
		}
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprintf(w, "This is the origin. %s, %d bytes\n", r.Method, n)
	},
	visits: []visit{
		{target: "/?id=1", status: 200, origin: "GET, 0 bytes\n", why: "let through"},
		{target: "/?id=1'%20or%20'1'='1", status: 403, why: "refused by rule 942100: SQL injection in the query"},
		{target: "/?q=%3Cscript%3Ealert(1)%3C/script%3E", status: 403, why: "refused by rule 941110: a script in the query"},
		{target: "/?file=../../etc/passwd", status: 403, why: "refused by rule 930120: a path to a system's file"},
		{target: "/form", body: "name=Maier&city=Ulm", status: 200, origin: "POST, 19 bytes\n", why: "let through"},
		{target: "/form", body: "name=1' or '1'='1", status: 403, why: "refused by rule 942100: SQL injection in the body"},
		{target: "/leak", status: 403, why: "the response is refused by rule 951230: an error of MySQL"},
	},
	proof: provenHits,
}

// provenHits finds the rules of the visits among the agent's metrics.
func provenHits(metrics string) (string, error) {
	var found []string
	for _, rule := range []string{"930120", "941110", "942100", "951230"} {
		m := regexp.MustCompile(`(?m)^waf_rule_hits_total\{.*waf_rule="` + rule + `"\} (\d+)$`).FindStringSubmatch(metrics)
		if m == nil {
			return "", fmt.Errorf("rule %s has not matched", rule)
		}
		found = append(found, rule+": "+m[1])
	}
	return "Rules that matched, from the agent's metrics: " + strings.Join(found, ", "), nil
}

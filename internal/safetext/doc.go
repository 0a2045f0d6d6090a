// Package safetext makes text that somebody else wrote safe to show.
//
// Message names, arguments, error texts and the texts of DISCONNECT frames come from
// visitors, from HAProxy or from anyone who can reach the agent's port. They may hold
// megabytes, terminal escapes, line breaks that forge log lines, or bytes that are not
// UTF-8, which a Prometheus scrape refuses. Every such text passes through [Clip] or
// [Error] where it enters a log line, a span, a metric's label or a terminal.
package safetext

// Package visitors tests, for each example behind each HAProxy, that no request
// which a visitor can send reaches the site without the agent's verdict.
package visitors

// Package admin is what a program tells operators over HTTP, on an address of
// its own: /healthz, /readyz and /metrics.
package admin

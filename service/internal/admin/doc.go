// Package admin serves /healthz, /readyz, /metrics and other pages for operators,
// over HTTP and on an address of its own.
package admin

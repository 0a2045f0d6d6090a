// Package admin serves /healthz, /readyz, /metrics and other pages for operators over
// HTTP, on a separate address.
package admin

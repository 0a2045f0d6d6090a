// Package browsertest tests the page of package inspect in a real browser, in
// front of a real agent behind a real HAProxy. It is a module of its own, so that
// package inspect needs the standard library alone.
package browsertest

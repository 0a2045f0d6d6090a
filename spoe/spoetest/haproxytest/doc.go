// Package haproxytest starts real HAProxy processes for tests of SPOE agents: it finds
// the versions that are installed, starts one with a configuration, and returns its URL
// and the log lines of its SPOE filter.
package haproxytest

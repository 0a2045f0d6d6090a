// Package crs runs the regression suite of the Core Rule Set, which comes with the rule
// set, against an HTTP proxy that has a firewall with these rules.
package crs

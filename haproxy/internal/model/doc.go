// Package model has the types that describe an agent to the packages that write
// and check HAProxy's configuration.
package model

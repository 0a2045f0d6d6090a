// Package tools is the module whose go.mod pins the programs that the Makefile calls.
package tools
